"""Evaluators and training structures in, measured time per atom and step out."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from linmlp.neighbors.many import find_pairs_of_all
from linmlp.potentials import Predictor
from linmlp.units import FloatArray

N_ATOMS = 500
"""Atoms that a step is timed on, at least: enough to fill the lanes of the loops, few enough for the caches."""

SKIN = 0.5
"""Skin of the list of neighbors, Å, as the calculator has it."""

N_ROUNDS = 75
"""Rounds, in each of which every potential is timed once."""


def sample_atoms(structures: Sequence[Atoms], random_state: int = 0, n_atoms: int = N_ATOMS) -> list[Atoms]:
    """Return random structures that have some number of atoms together, repeated if there are too few.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        At least one.
    random_state : int, default=0
        Seed.
    n_atoms : int, default=500
        Atoms, at least.

    Returns
    -------
    list of ase.Atoms
        No more than it takes.
    """
    order = np.random.default_rng(random_state).permutation(len(structures))
    sample: list[Atoms] = []
    while sum(map(len, sample)) < n_atoms:
        sample.append(structures[order[len(sample) % len(order)]])
    return sample


def measure_costs(
    predictors: Sequence[Predictor], structures: Sequence[Atoms], random_state: int = 0, n_rounds: int = N_ROUNDS
) -> FloatArray:
    """Return the time of energies, forces and stress per atom, on one thread.

    Neighbors are searched once before, with the skin of the calculator, as a list serves many steps of MD. All
    potentials are timed in turns, by the clock of the thread, so that other work on the machine matters little.

    Parameters
    ----------
    predictors : sequence of Predictor
        What is timed; without baselines that are calculators of ASE.
    structures : sequence of ase.Atoms
        What they are timed on, see `sample_atoms`.
    random_state : int, default=0
        Seed of the sample.
    n_rounds : int, default=75
        Timings of each; the median is taken.

    Returns
    -------
    ndarray of shape (n_predictors,)
        µs per atom and step.
    """
    cutoff = max(predictor.cutoff for predictor in predictors) + SKIN
    pairs, bounds, _ = find_pairs_of_all(sample_atoms(structures, random_state), cutoff)
    seconds = np.empty((n_rounds, len(predictors)))
    for predictor in predictors:
        predictor.compute(pairs)  # compiles
    for round_seconds in seconds:
        for k, predictor in enumerate(predictors):
            start = time.thread_time()
            predictor.compute(pairs)
            round_seconds[k] = time.thread_time() - start
    return np.asarray(1e6 * np.median(seconds, axis=0) / bounds[-1])
