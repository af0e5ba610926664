"""Energies, forces and strain derivatives of an ACE potential, and the features summed over atoms beside them."""

from typing import Any

import numpy as np

from linmlp.descriptors.ace.evaluator_records import Results, plain
from linmlp.descriptors.ace.lane_evaluation import LaneEvaluation, aligned_zeros
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan import make_layout
from linmlp.descriptors.ace.summing_loops import evaluate_and_sum
from linmlp.descriptors.ace.term_sum_loops import BUNDLE, add_up, count_vectors
from linmlp.descriptors.ace.terms import make_terms
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray


class AceSummingEvaluator(LaneEvaluation):
    """Energies, forces and strain derivatives of a linear combination of ACE functions, and sums of the functions.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy of an atom = its features @ coefficients, eV.
    features : ndarray of int or None
        Features to sum; None for all. What is neither here nor has a coefficient costs nothing.
    """

    def __init__(self, parameters: AceParameters, coefficients: FloatArray, features: IntArray | None = None) -> None:
        coefficients = np.asarray(coefficients, dtype=float)
        n_features = len(coefficients)
        features = np.arange(n_features) if features is None else np.asarray(features, dtype=np.int64)
        active = coefficients != 0.0
        active[features] = True
        layout = make_layout(parameters, active, LANES)
        super().__init__(parameters, layout.with_coefficients(coefficients))
        terms, to_features = make_terms(layout, n_features, LANES)
        self._terms, self._to_features = terms, to_features[features]

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return energies, forces, strain derivatives and sums of features.

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
            In eV/Å.
        atom_strain_gradient : ndarray of shape (n_atoms, 6)
            Derivative of each atom's energy with respect to the strain, xx yy zz yz xz xy, eV.
        sums : ndarray of shape (n_summed,)
            The features that were asked for, summed over the atoms.
        """
        n_atoms, n_threads = len(pairs.numbers), self._count_threads(pairs, n_threads)
        energies, strain = np.zeros(n_atoms), np.zeros((n_atoms, 6))
        # One more row takes what padding adds.
        forces = np.zeros((n_threads, n_atoms + 1, 3))
        sums = aligned_zeros(*[count_vectors(self._terms.start) * LANES] * n_threads)
        densities = BUNDLE * (int(self._plan.used_size.max()) + self._spare * LANES)

        def loop(thread: int, *arguments: Any) -> None:
            (bundle,) = aligned_zeros(densities)
            results = plain(Results(energies, forces[thread], strain))
            evaluate_and_sum(*arguments, plain(self._terms), bundle, sums[thread], results)

        self._run(pairs, n_threads, loop)
        total = forces[0] if n_threads == 1 else forces.sum(axis=0)
        terms = add_up(sums[0] if n_threads == 1 else np.sum(sums, axis=0), self._terms.start)
        return energies, total[:n_atoms], strain, self._to_features @ terms
