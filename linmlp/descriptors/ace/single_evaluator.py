"""Energies, forces and strain derivatives of an ACE potential in single precision."""

from typing import Any

import numpy as np

from linmlp.descriptors.ace.evaluator_records import Results, Scratch, Sizes, plain
from linmlp.descriptors.ace.lane_evaluation import LaneEvaluation, aligned_zeros
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.single_loops import evaluate_single
from linmlp.descriptors.ace.single_plan import in_single_precision, make_single_plan
from linmlp.descriptors.ace.single_records import Wide
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray


class AceSingleEvaluator(LaneEvaluation):
    """The energy of `linmlp.descriptors.ace.evaluator.AceEvaluator`, computed in single precision.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy of an atom = its features @ coefficients, eV. Features whose coefficient is exactly 0 cost nothing.

    Notes
    -----
    Of double precision are distances, radial functions, and the sums of forces over slots and of energies over columns.
    Rounding of what is stored in between (radial and angular functions, A, its derivatives, coefficients) is a fifth of
    the variance of the error of forces; the rest is that of sums, over slots in A and over products in its derivatives.
    What it comes to is said in `LinearPotential.predictor`.
    """

    def __init__(self, parameters: AceParameters, coefficients: FloatArray) -> None:
        single = make_single_plan(parameters, coefficients)
        super().__init__(single.parameters, single.plan, 2 * LANES)
        self._recurrence = single.recurrence
        self._compiled_functions = plain(in_single_precision(self._functions))

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies, forces and strain derivatives.

        Parameters
        ----------
        pairs : Pairs
            Positions and neighbors, as for `AceEvaluator.compute`.
        n_threads : int, default=1
            Threads; small structures use fewer.

        Returns
        -------
        energies : ndarray of shape (n_atoms,)
            Without reference energies, eV.
        forces : ndarray of shape (n_atoms, 3)
            In eV/Å; their sum is zero as in double precision.
        atom_strain_gradient : ndarray of shape (n_atoms, 6)
            Derivative of each atom's energy with respect to the strain, xx yy zz yz xz xy, eV.
        """
        n_atoms, n_threads = len(pairs.numbers), self._count_threads(pairs, n_threads)
        energies, strain = np.zeros(n_atoms), np.zeros((n_atoms, 6))
        # One more row takes what padding adds.
        forces = np.zeros((n_threads, n_atoms + 1, 3))

        def loop(thread: int, *arguments: Any) -> None:
            results = plain(Results(energies, forces[thread], strain))
            evaluate_single(*arguments, self._recurrence, plain(_allocate_wide(Sizes(*arguments[2]))), results)

        self._run(pairs, n_threads, loop)
        total = forces[0] if n_threads == 1 else forces.sum(axis=0)
        return energies, total[:n_atoms], strain

    def _allocate(self, sizes: Sizes) -> Scratch:
        """Return memory for one thread, in single precision for twice as many atoms."""
        arrays: list[Any] = [
            array.view(np.complex64) if array.dtype == float else array for array in super()._allocate(sizes)
        ]
        return Scratch(*arrays)._replace(
            neighbors=np.empty(2 * sizes.capacity * LANES, dtype=np.int64), counts=np.empty(2 * LANES, dtype=np.int64)
        )


def _allocate_wide(sizes: Sizes) -> Wide:
    """Return the memory of one thread in double precision."""
    return Wide(*aligned_zeros(*(LANES * n for n in (10 * sizes.capacity, 6 * sizes.capacity, 20))))
