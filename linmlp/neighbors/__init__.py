"""Structures in, pairs of atoms out; a library does the search, a Verlet skin saves most of the searches."""

from linmlp.neighbors.many import find_pairs_of_all
from linmlp.neighbors.pairs import Pairs, find_pairs
from linmlp.neighbors.verlet import VerletList

__all__ = ["Pairs", "VerletList", "find_pairs", "find_pairs_of_all"]
