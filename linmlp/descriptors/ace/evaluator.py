"""Energies, forces and strain derivatives of an ACE potential: pairs and coefficients in, arrays out."""

from typing import Any

import numpy as np

from linmlp.descriptors.ace.evaluator_loops import evaluate_blocks
from linmlp.descriptors.ace.evaluator_records import Results, plain
from linmlp.descriptors.ace.lane_evaluation import LaneEvaluation
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan import make_plan
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray


class AceEvaluator(LaneEvaluation):
    """Energies, forces and strain derivatives of a linear combination of ACE functions.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy of an atom = its features @ coefficients, eV. Features whose coefficient is exactly 0 cost nothing.
    """

    def __init__(self, parameters: AceParameters, coefficients: FloatArray) -> None:
        super().__init__(parameters, make_plan(parameters, coefficients, LANES))

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies, forces and strain derivatives.

        Parameters
        ----------
        pairs : Pairs
            Positions and neighbors; pairs beyond the cutoff are left out. While its arrays `numbers`, `first` and `j`
            are the same objects as in the call before, the work of sorting atoms into blocks is saved.
        n_threads : int, default=1
            Threads; small structures use fewer.

        Returns
        -------
        energies : ndarray of shape (n_atoms,)
            Without reference energies, eV.
        forces : ndarray of shape (n_atoms, 3)
            In eV/Å.
        atom_strain_gradient : ndarray of shape (n_atoms, 6)
            Derivative of each atom's energy with respect to the strain, xx yy zz yz xz xy, eV; the sum over atoms
            divided by the volume is the stress.
        """
        n_atoms, n_threads = len(pairs.numbers), self._count_threads(pairs, n_threads)
        energies, strain = np.zeros(n_atoms), np.zeros((n_atoms, 6))
        # One more row takes what padding adds.
        forces = np.zeros((n_threads, n_atoms + 1, 3))

        def loop(thread: int, *arguments: Any) -> None:
            evaluate_blocks(*arguments, plain(Results(energies, forces[thread], strain)))

        self._run(pairs, n_threads, loop)
        total = forces[0] if n_threads == 1 else forces.sum(axis=0)
        return energies, total[:n_atoms], strain
