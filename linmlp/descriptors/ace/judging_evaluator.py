"""An ACE potential and, in the same pass, what tells how far it may be trusted."""

from typing import Any

import numpy as np

from linmlp.descriptors.ace.committee_records import Members
from linmlp.descriptors.ace.evaluator_records import Results, plain
from linmlp.descriptors.ace.judging_loops import evaluate_and_judge
from linmlp.descriptors.ace.judging_records import Judgement, Memory
from linmlp.descriptors.ace.lane_evaluation import LaneEvaluation, aligned_zeros
from linmlp.descriptors.ace.leverage_loops import CHUNK
from linmlp.descriptors.ace.leverage_records import make_feature_rows, make_whitening
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan import make_layout
from linmlp.descriptors.ace.terms import make_terms
from linmlp.descriptors.evaluators import Judged, QuadraticForm
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray


class AceJudgingEvaluator(LaneEvaluation):
    """Energies, forces and strain derivatives of an ACE potential, forces of a committee, a form of atoms' features.

    Neighbors, radial and angular functions and the densities A are computed once for everything. The quadratic form is
    evaluated in single precision, which leaves four digits of it or more.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy of an atom = its features @ coefficients, eV.
    members : ndarray of shape (n_members, n_features)
        Coefficients of a committee, eV.
    form : QuadraticForm
        Of the features of an atom. Features without a coefficient that do not matter in it cost nothing.
    """

    def __init__(
        self, parameters: AceParameters, coefficients: FloatArray, members: FloatArray, form: QuadraticForm
    ) -> None:
        coefficients, members = np.asarray(coefficients, dtype=float), np.asarray(members, dtype=float)
        features, triangles = _of_elements(parameters, form)
        active = (coefficients != 0.0) | np.any(members != 0.0, axis=0)
        active[np.concatenate(features)] = True
        layout = make_layout(parameters, active, LANES)
        super().__init__(parameters, layout.with_coefficients(coefficients))
        self.n_members = len(members)
        of_loops = layout.coefficients(members)
        fields: tuple[Any, ...] = (self.n_members, *(values.shape[1] for values in of_loops), *of_loops)
        terms, to_features = make_terms(layout, len(coefficients), LANES)
        rows, self._order = make_feature_rows(to_features, features, LANES)
        self._n_terms, self._n_rows = int(terms.start[-1]), max(map(len, triangles))
        self._lists = tuple(plain(record) for record in (Members(*fields), terms, rows, make_whitening(triangles)))

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
        # One more row takes what padding adds.
        forces = np.zeros((n_threads, 1 + self.n_members, n_atoms + 1, 3))
        sums = aligned_zeros(*[len(self._order) * LANES] * n_threads)

        def loop(thread: int, *arguments: Any) -> None:
            results = plain(Results(energies, forces[thread, 0], strain))
            judgement = plain(Judgement(forces[thread, 1:], sums[thread], leverages))
            evaluate_and_judge(*arguments, *self._lists, plain(self._allocate_more()), results, judgement)

        self._run(pairs, n_threads, loop)
        total = (forces[0] if n_threads == 1 else forces.sum(axis=0))[:, :n_atoms]
        feature_sums = np.zeros(self.parameters.n_features)
        feature_sums[self._order] = np.sum(sums, axis=0).reshape(-1, LANES) @ np.ones(LANES)
        return Judged(energies, total[0], strain, total[1:], feature_sums, leverages)

    def _allocate_more(self) -> Memory:
        """Return memory for one thread."""
        spare = (2 * self._sizes.n_l - 1) * LANES
        singles = CHUNK * LANES * (self._n_rows + 4) // 2 + 1, CHUNK * LANES // 2
        sizes = int(self._plan.raw_size.max()) + spare, self._n_terms * LANES, *singles
        derivatives, terms, features, norms = aligned_zeros(*sizes)
        return Memory(derivatives, terms, features.view(np.float32), norms.view(np.float32))


def _of_elements(parameters: AceParameters, form: QuadraticForm) -> tuple[list[Any], list[FloatArray]]:
    """Return the features around each element that matter in a quadratic form, and its triangle for them."""
    n_functions = len(parameters.functions)
    features, triangles = [], []
    for z in range(len(parameters.numbers)):
        columns = np.arange(z * n_functions, (z + 1) * n_functions)
        triangle = form.triangle(columns)
        kept = np.any(triangle != 0.0, axis=0) | np.any(triangle != 0.0, axis=1)
        features.append(columns[kept])
        triangles.append(triangle[np.ix_(kept, kept)])
    return features, triangles
