"""An ACE potential and, in the same pass, what tells how far it may be trusted."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from linmlp.descriptors.ace.evaluator_records import Results, Scratch, Sizes, plain
from linmlp.descriptors.ace.judging_loops import evaluate_and_judge
from linmlp.descriptors.ace.judging_records import Judgement, Memory
from linmlp.descriptors.ace.lane_evaluation import LaneEvaluation, aligned_zeros
from linmlp.descriptors.ace.leverage_loops import CHUNK
from linmlp.descriptors.ace.leverage_records import Whitening, make_feature_rows, make_whitening
from linmlp.descriptors.ace.pair_plan import PairPlan
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan import make_layout
from linmlp.descriptors.ace.terms import make_terms
from linmlp.descriptors.evaluators import Judged, QuadraticForm
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray


class AceJudgingEvaluator(LaneEvaluation):
    """Energies, forces and strain derivatives of an ACE potential, forces of a committee, a form of atoms' features.

    Neighbors, radial and angular functions and the densities A are computed once for everything. Forces of the
    committee and the quadratic form are evaluated in single precision.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy of an atom = its features @ coefficients, eV.
    members : ndarray of shape (n_members, n_features)
        Coefficients of a committee, eV.
    form : QuadraticForm
        Of the features of an atom.
    features : ndarray of int or None
        Features to sum over atoms; None for all. What is neither here, nor has a coefficient, nor matters in the form
        costs nothing.
    """

    def __init__(
        self,
        parameters: AceParameters,
        coefficients: FloatArray,
        members: FloatArray,
        form: QuadraticForm,
        features: IntArray | None = None,
    ) -> None:
        coefficients, members = np.asarray(coefficients, dtype=float), np.asarray(members, dtype=float)
        summed = np.full(len(coefficients), features is None)
        summed[[] if features is None else features] = True
        of_elements, whitening = _of_elements(parameters, form, summed)
        active = (coefficients != 0.0) | np.any(members != 0.0, axis=0)
        active[np.concatenate(of_elements)] = True
        layout = make_layout(parameters, active, LANES)
        super().__init__(parameters, layout.with_coefficients(coefficients))
        self.n_members = len(members)
        self._pair_plan = PairPlan.of(parameters, active, members, self._functions)
        self._committee = plain(
            (self._pair_plan.functions, self._pair_plan.plan, self._pair_plan.members, self._pair_plan.basis)
        )
        terms, to_features = make_terms(layout, len(coefficients), LANES)
        rows, self._order = make_feature_rows(to_features, of_elements, LANES)
        self._not_summed = np.flatnonzero(~summed)
        self._n_terms, self._n_rows = int(terms.start[-1]), max(map(len, of_elements))
        self._features = plain((terms, rows, whitening))

    def compute(self, pairs: Pairs, n_threads: int = 1) -> Judged:
        """Return the prediction and what is beside it.

        Parameters
        ----------
        pairs : Pairs
            Positions and neighbors, as for `AceEvaluator.compute`.
        n_threads : int, default=1
            Threads; small structures use fewer.

        Returns
        -------
        Judged
            Energies without reference energies.
        """
        n_atoms, n_threads = len(pairs.numbers), self._count_threads(pairs, n_threads)
        energies, strain, leverages = np.zeros(n_atoms), np.zeros((n_atoms, 6)), np.zeros(n_atoms)
        # One more row takes what padding adds; members come in pairs.
        n_rows = 1 + self.n_members + self.n_members % 2
        forces = np.zeros((n_threads, n_rows, n_atoms + 1, 3))
        sums = aligned_zeros(*[len(self._order) * LANES] * n_threads)

        def loop(thread: int, *arguments: Any) -> None:
            results = plain(Results(energies, forces[thread, 0], strain))
            judgement = plain(Judgement(forces[thread, 1:], sums[thread], leverages))
            scratch, memory = self._allocate_more(Sizes(*arguments[2]), Scratch(*arguments[-1]))
            committee = plain(scratch), *self._committee
            evaluate_and_judge(*arguments, committee, self._features, plain(memory), results, judgement)

        self._run(pairs, n_threads, loop)
        total = (forces[0] if n_threads == 1 else forces.sum(axis=0))[:, :n_atoms]
        feature_sums = np.zeros(self.parameters.n_features)
        feature_sums[self._order] = np.sum(sums, axis=0).reshape(-1, LANES) @ np.ones(LANES)
        feature_sums[self._not_summed] = 0.0
        return Judged(energies, total[0], strain, total[1 : 1 + self.n_members], feature_sums, leverages)

    def _allocate_more(self, sizes: Sizes, scratch: Scratch) -> tuple[Scratch, Memory]:
        """Return more memory for one thread: for pairs of members, and for features."""
        in_pairs: list[Any] = [
            array.view(np.complex64) if array.dtype == float else array for array in self._allocate(sizes)
        ]
        pairs = Scratch(*in_pairs)._replace(begin=scratch.begin, end=scratch.end)
        n_single = CHUNK * LANES * (self._n_rows + 4)
        n_raw = int(self._pair_plan.plan.raw_size.max()) + (2 * sizes.n_l - 1) * LANES
        raw, terms, features, norms = aligned_zeros(n_raw, self._n_terms * LANES, n_single, CHUNK * LANES)
        return pairs, Memory(raw.view(np.complex64), terms, features.view(np.float32), norms.view(np.float32))


_known: WeakKeyDictionary[QuadraticForm, WeakKeyDictionary[AceParameters, tuple[NDArray[np.bool_], Whitening]]] = (
    WeakKeyDictionary()
)


def _of_elements(
    parameters: AceParameters, form: QuadraticForm, summed: NDArray[np.bool_]
) -> tuple[list[IntArray], Whitening]:
    """Return the features around each element that are needed, and the quadratic form of the first of them."""
    known = _known.setdefault(form, WeakKeyDictionary())
    if parameters not in known:
        known[parameters] = _whiten(parameters, form)
    matters, whitening = known[parameters]
    n_functions = len(parameters.functions)
    features = []
    for first in range(0, parameters.n_features, n_functions):
        own = slice(first, first + n_functions)
        in_order = np.flatnonzero(matters[own]), np.flatnonzero(~matters[own] & summed[own])
        features.append(first + np.concatenate(in_order).astype(np.int64))
    return features, whitening


def _whiten(parameters: AceParameters, form: QuadraticForm) -> tuple[NDArray[np.bool_], Whitening]:
    """Return which features matter in a quadratic form, and its triangles for them."""
    n_functions, matters = len(parameters.functions), np.zeros(parameters.n_features, dtype=bool)
    triangles = []
    for first in range(0, parameters.n_features, n_functions):
        triangle = form.triangle(np.arange(first, first + n_functions, dtype=np.int64))
        kept = np.any(triangle != 0.0, axis=0) | np.any(triangle != 0.0, axis=1)
        matters[first : first + n_functions] = kept
        triangles.append(triangle[np.ix_(kept, kept)])
    return matters, make_whitening(triangles)
