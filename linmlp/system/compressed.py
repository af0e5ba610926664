"""The contract of a compressed system: a small object that knows the squared residual of any coefficients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray, IntArray

FORMS = ("gram", "qr")
"""Forms that rows may be compressed to."""


class Gram(NamedTuple):
    """The normal equations: ``XᵀX`` (n_features, n_features), ``Xᵀy`` (n_features,) and ``yᵀy``."""

    matrix: FloatArray
    vector: FloatArray
    y_squared: float


class Factor(NamedTuple):
    """``‖Xc − y‖² = ‖Rc − z‖² + ρ²``: R upper triangular (n_features, n_features), z (n_features,) and ρ²."""

    R: FloatArray
    z: FloatArray
    rho_squared: float


class CompressedSystem(ABC):
    """Rows of a design matrix and their targets, folded so that ``‖Xc − y‖²`` is exact for every ``c``.

    Systems are values: every method that changes something returns another system. The row forms are

    - `RowSystem`, the rows themselves, kept while they are fewer than the features;
    - `GramSystem`, the triangle of ``[X y]ᵀ[X y]``, which is cheap, adds, and takes subsets for nothing, but squares
      the condition number;
    - `QRSystem`, the triangular factor of ``[X y]``, several times dearer, which does not;
    - `SystemSum`, a weighted sum of those that has not been merged (yet).
    """

    form: str
    grows_into: str
    """Form that it takes when more rows are folded in."""
    n_features: int
    n_rows: int
    _n_observations: float | None = None
    _keeps: bool = False
    _kept: dict[str, Any]

    # ---- what is known about the rows

    @property
    def n_observations(self) -> float:
        """How many observations the rows stand for: the number of rows, unless some were listed several times."""
        return float(self.n_rows) if self._n_observations is None else self._n_observations

    @property
    @abstractmethod
    def y_squared(self) -> float:
        """Squared norm of the targets, ``yᵀy``."""

    @property
    @abstractmethod
    def keeps_condition(self) -> bool:
        """Whether the form does not square the condition number of the rows."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes that the arrays take at rest."""

    def squared_residual(self, coef: FloatArray) -> Any:
        """Return ``‖Xc − y‖²``.

        Parameters
        ----------
        coef : ndarray of shape (n_features,) or (n_sets, n_features)
            One or several sets of coefficients.

        Returns
        -------
        float or ndarray of shape (n_sets,)
            Squared residuals, one for each set.
        """
        coef = self._check_coef(coef)
        squared = self._squared_residual(np.atleast_2d(coef))
        return float(squared[0]) if coef.ndim == 1 else squared

    def normal_residual(self, coef: FloatArray) -> FloatArray:
        """Return ``Xᵀ(y − Xc)``, with no more rounding than the form imposes.

        Parameters
        ----------
        coef : ndarray of shape (n_features,) or (n_sets, n_features)
            One or several sets of coefficients.

        Returns
        -------
        ndarray of the shape of `coef`
            Half the negative gradient of the squared residual.
        """
        coef = self._check_coef(coef)
        return self._normal_residual(np.atleast_2d(coef)).reshape(coef.shape)

    @property
    def residual_floor(self) -> float:
        """Squared residuals below this have lost their digits; 0 unless the form squares what it is made of."""
        return 0.0

    def residual_is_accurate(self, coef: FloatArray) -> bool:
        """Return whether `squared_residual` has its full accuracy for these coefficients.

        The Gram form says no where the residual falls below ``1e-10 yᵀy``; the others always say yes.

        Parameters
        ----------
        coef : ndarray of shape (n_features,) or (n_sets, n_features)
            One or several sets of coefficients.

        Returns
        -------
        bool
            True if all sets can be trusted.
        """
        return bool(np.all(np.asarray(self.squared_residual(coef)) >= self.residual_floor))

    # ---- conversions

    def to_gram(self) -> Gram:
        """Return the normal equations; do not write into them.

        Returns
        -------
        Gram
            Full symmetric matrix, vector and ``yᵀy``.
        """
        gram: Gram = self._remember("gram", self._compute_gram)
        return gram

    def to_factor(self) -> Factor:
        """Return the triangular factor; do not write into it.

        Returns
        -------
        Factor
            R, z and ρ². From a Gram system it has only the digits that squaring left.
        """
        factor: Factor = self._remember("factor", self._compute_factor)
        return factor

    def keep(self) -> Self:
        """Remember full arrays from now on, for many evaluations of the same system.

        Returns
        -------
        self
            The same system; `release` ends it.
        """
        self._keeps, self._kept = True, {}
        return self

    def release(self) -> Self:
        """Forget the full arrays.

        Returns
        -------
        self
            The same system, as small as it was.
        """
        self._keeps, self._kept = False, {}
        return self

    # ---- other systems

    @abstractmethod
    def scaled(self, weight: float) -> CompressedSystem:
        """Return the system whose squared residual is `weight` times this one's.

        Parameters
        ----------
        weight : float
            Factor on the squared residual, not negative.

        Returns
        -------
        CompressedSystem
            System of the same form.
        """

    @abstractmethod
    def subset(self, columns: IntArray | Sequence[int]) -> CompressedSystem:
        """Return the system of some of the features, in the order given.

        Parameters
        ----------
        columns : array-like of shape (n_chosen,)
            Indices of features; all of them in another order is a permutation.

        Returns
        -------
        CompressedSystem
            System of the same form with `n_chosen` features.
        """

    def merge(self, *others: CompressedSystem) -> CompressedSystem:
        """Return the system of the rows of this one and the others, merged in the order given.

        Parameters
        ----------
        *others : CompressedSystem
            Systems with the same features.

        Returns
        -------
        CompressedSystem
            One system.
        """
        from linmlp.system.folding import merge  # the forms import this contract

        return merge([self, *others])

    def __add__(self, other: CompressedSystem) -> CompressedSystem:
        return self.merge(other)

    def add_rows(self, X: FloatArray, y: FloatArray, row_scale: FloatArray | None = None) -> CompressedSystem:
        """Return the system with more rows folded in.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows of the design matrix; the row stride may be larger than the row.
        y : ndarray of shape (n_rows,)
            Targets.
        row_scale : ndarray of shape (n_rows,), optional
            Factors on rows and targets (square roots of weights); rows with 0 are absent.

        Returns
        -------
        CompressedSystem
            The system that holds all rows.
        """
        from linmlp.system.folding import rows_to_system  # the forms import this contract

        return self.merge(rows_to_system(X, y, row_scale, form=self.grows_into))

    @abstractmethod
    def to_state(self) -> dict[str, FloatArray]:
        """Return the arrays that `linmlp.system.from_state` makes the same system from.

        Returns
        -------
        dict of str to ndarray
            Arrays by name, the form among them.
        """

    # ---- for the forms

    def merge_parts(self) -> list[CompressedSystem]:
        """Return the systems to merge in this one's place: itself, unless it is a sum.

        Returns
        -------
        list of CompressedSystem
            Systems of plain form.
        """
        return [self]

    @abstractmethod
    def _squared_residual(self, coef: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _normal_residual(self, coef: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _compute_gram(self) -> Gram: ...

    @abstractmethod
    def _compute_factor(self) -> Factor: ...

    def _remember(self, name: str, compute: Any) -> Any:
        """Return a computed array, from memory if the system keeps it."""
        if not self._keeps:
            return compute()
        if name not in self._kept:
            self._kept[name] = compute()
        return self._kept[name]

    def _check_coef(self, coef: FloatArray) -> FloatArray:
        """Return coefficients as an array of the right width."""
        coef = np.asarray(coef, dtype=float)
        if coef.ndim not in (1, 2) or coef.shape[-1] != self.n_features:
            raise SettingsError(
                f"coefficients of shape {coef.shape} do not fit a system of {self.n_features} features; "
                f"give ({self.n_features},) or (n_sets, {self.n_features})"
            )
        return coef

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n_features={self.n_features}, n_rows={self.n_rows})"
