"""A weighted sum of systems that is not merged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from linmlp.system.compressed import CompressedSystem, Factor, Gram
from linmlp.system.gram import GramSystem, add_grams
from linmlp.system.row_system import RowSystem
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray, IntArray


class SystemSum(CompressedSystem):
    """The system whose squared residual is a weighted sum of others'.

    Loss weights change in a search while the systems stay: residuals and Gram matrices are sums, so nothing has to be
    merged. Call `keep` on parts that are used more than once.

    Parameters
    ----------
    parts : sequence of CompressedSystem
        Systems with the same features.
    weights : sequence of float
        Factors on their squared residuals, not negative; parts of weight 0 are absent.
    counts : sequence of float, optional
        Number of observations that each part stands for; those of the parts by default.
    """

    form = "sum"

    def __init__(
        self, parts: Sequence[CompressedSystem], weights: Sequence[float], counts: Sequence[float] | None = None
    ) -> None:
        self.n_features = parts[0].n_features
        counts = [part.n_observations for part in parts] if counts is None else counts
        present = [t for t in zip(parts, map(float, weights), counts, strict=True) if t[1] > 0.0 and t[0].n_rows]
        self.parts = [part for part, _, _ in present]
        self.weights = [weight for _, weight, _ in present]
        self.counts = [float(count) for _, _, count in present]
        self._n_observations = sum(self.counts)
        self.grows_into = "qr" if all(part.grows_into == "qr" for part in self.parts) else "gram"
        self._collapsed: list[tuple[CompressedSystem, float]] | None = None
        self.n_rows = sum(part.n_rows for part in self.parts)

    @property
    def y_squared(self) -> float:
        """Squared norm of the weighted targets."""
        return float(sum(w * p.y_squared for p, w in zip(self.parts, self.weights, strict=True)))

    @property
    def keeps_condition(self) -> bool:
        """A sum does not square the condition number if none of its parts does."""
        return all(part.keeps_condition for part in self.parts)

    @property
    def nbytes(self) -> int:
        """Bytes of the parts."""
        return sum(part.nbytes for part in self.parts)

    @property
    def residual_floor(self) -> float:
        """Weighted sum of the parts' floors."""
        return float(sum(w * p.residual_floor for p, w in zip(self.parts, self.weights, strict=True)))

    def scaled(self, weight: float) -> SystemSum:
        """Return the sum with other weights."""
        return SystemSum(self.parts, [weight * w for w in self.weights], self.counts) if self.parts else self

    def plus(self, part: CompressedSystem, weight: float) -> SystemSum:
        """Return the sum with one more part.

        Parameters
        ----------
        part : CompressedSystem
            Its rows.
        weight : float
            Factor on its squared residual.

        Returns
        -------
        SystemSum
            A new one.
        """
        return SystemSum([*self.parts, part], [*self.weights, weight], [*self.counts, part.n_observations])

    def subset(self, columns: IntArray | Sequence[int]) -> SystemSum:
        """Return the sum of the parts' subsets."""
        parts = [part.subset(columns) for part in self.parts] or [self.merge_parts()[0].subset(columns)]
        return SystemSum(parts, self.weights or [0.0], self.counts or [0.0])

    def merge_parts(self) -> list[CompressedSystem]:
        """Return the parts with their weights in."""
        if not self.parts:
            return [RowSystem(np.empty((0, self.n_features)), np.empty(0))]
        return [part.scaled(w) for part, w in zip(self.parts, self.weights, strict=True)]

    def merged(self, form: str) -> CompressedSystem:
        """Return the sum as one system.

        Parameters
        ----------
        form : {"gram", "qr"}
            Form to merge to.

        Returns
        -------
        CompressedSystem
            One system.
        """
        from linmlp.system.folding import merge  # folding imports the forms

        with one_blas_thread():
            return merge([self], form)

    def to_state(self) -> dict[str, FloatArray]:
        """Return the arrays of the merged system."""
        return self.merged("qr" if self.keeps_condition else "gram").to_state()

    def _terms(self) -> list[tuple[CompressedSystem, float]]:
        """Return parts and weights, with all Gram parts added up to one."""
        if self._collapsed is None:
            pairs = list(zip(self.parts, self.weights, strict=True))
            grams = [(part, weight) for part, weight in pairs if isinstance(part, GramSystem)]
            self._collapsed = [pair for pair in pairs if not isinstance(pair[0], GramSystem)]
            if grams:
                self._collapsed.append((add_grams(*zip(*grams, strict=True)), 1.0))
        return self._collapsed

    def _squared_residual(self, coef: FloatArray) -> FloatArray:
        total = np.zeros(len(coef))
        for part, weight in self._terms():
            total += weight * part.squared_residual(coef)
        return total

    def _normal_residual(self, coef: FloatArray) -> FloatArray:
        total = np.zeros_like(coef)
        for part, weight in self._terms():
            total += weight * part.normal_residual(coef)
        return total

    def _compute_gram(self) -> Gram:
        terms = self._terms()
        if len(terms) == 1 and terms[0][1] == 1.0:
            return terms[0][0].to_gram()
        matrix = np.zeros((self.n_features, self.n_features))
        vector = np.zeros(self.n_features)
        for part, weight in terms:
            gram = part.to_gram()
            matrix += weight * gram.matrix
            vector += weight * gram.vector
        return Gram(matrix, vector, self.y_squared)

    def _compute_factor(self) -> Factor:
        return self.merged("qr" if self.keeps_condition else "gram").to_factor()
