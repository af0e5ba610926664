"""What features cost where they share parts: costs and features chosen so far in, marginal costs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array

from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False, repr=False)
class FeatureCosts:
    """Costs of features, each of which needs some parts; a part is paid for once, by the first feature that needs it.

    Parameters
    ----------
    own : ndarray of shape (n_features,)
        What each feature costs beside its parts, more than 0; any unit.
    parts : ndarray of shape (n_parts,)
        What each part costs, 0 or more.
    first : ndarray of shape (n_features + 1,), int
        Where the parts of each feature start in `part`.
    part : ndarray of shape (n_entries,), int
        Parts of one feature after the other, each once.

    Examples
    --------
    >>> import numpy as np
    >>> from linmlp.solvers import FeatureCosts
    >>> costs = FeatureCosts(np.ones(3), np.array([10.0, 20.0]), np.array([0, 1, 2, 4]), np.array([0, 1, 0, 1]))
    >>> costs
    FeatureCosts(3 features, 2 parts)
    >>> costs.total([0, 2])
    32.0
    """

    own: FloatArray
    parts: FloatArray
    first: IntArray
    part: IntArray

    def __post_init__(self) -> None:
        for name, kind in (("own", float), ("parts", float), ("first", np.int64), ("part", np.int64)):
            array = np.array(getattr(self, name), dtype=kind)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        n, m = len(self.own), len(self.parts)
        if self.first.shape != (n + 1,) or self.first[0] != 0 or self.first[-1] != len(self.part):
            raise SettingsError(f"first has shape {self.first.shape} and does not cut {len(self.part)} parts into {n}")
        if np.any(np.diff(self.first) < 0) or (len(self.part) and not 0 <= self.part.min() <= self.part.max() < m):
            raise SettingsError(f"parts of features must be numbers from 0 to {m - 1}, the features in order")
        costs = np.concatenate([self.own, self.parts])
        if not (np.all(np.isfinite(costs)) and np.all(self.own > 0.0) and np.all(self.parts >= 0.0)):
            raise SettingsError("costs must be finite; own ones more than 0, those of parts 0 or more")

    @property
    def incidence(self) -> csr_array:
        """The matrix (n_features, n_parts) of ones where a feature needs a part."""
        shape = len(self.own), len(self.parts)
        return csr_array((np.ones(len(self.part)), self.part, self.first), shape=shape)

    def total(self, features: Any) -> float:
        """Return what some features cost together.

        Parameters
        ----------
        features : array-like of int or bool
            Positions, or a mask.

        Returns
        -------
        float
            Own costs, and each part that is needed once.
        """
        needed = np.zeros(len(self.parts), dtype=bool)
        chosen = np.arange(len(self.own))[np.asarray(features)]
        for feature in chosen:
            needed[self.part[self.first[feature] : self.first[feature + 1]]] = True
        return float(self.own[chosen].sum() + self.parts[needed].sum())

    def to_state(self) -> dict[str, list[float]]:
        """Return the arguments as lists, for JSON."""
        return {name: getattr(self, name).tolist() for name in ("own", "parts", "first", "part")}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself: nothing in it can change."""
        return self

    def __repr__(self) -> str:
        """Return the numbers of features and parts."""
        return f"FeatureCosts({len(self.own)} features, {len(self.parts)} parts)"


class Spending:
    """What every feature would cost on top of those chosen so far.

    Parameters
    ----------
    costs : FeatureCosts
        Of all features.
    used : ndarray of shape (n_used,), int
        Features that can be chosen; positions count these.

    Attributes
    ----------
    marginal : ndarray of shape (n_used,)
        Own cost of each, and the parts that no chosen one needs.

    Notes
    -----
    A choice takes time in proportion to the features that share the parts which it adds.
    """

    def __init__(self, costs: FeatureCosts, used: IntArray) -> None:
        self._parts_of = costs.incidence[used]
        self._features_of = self._parts_of.T.tocsr()
        self._own, self._parts = costs.own[used], costs.parts
        self._paid = np.zeros(len(costs.parts), dtype=bool)
        self.marginal: FloatArray = self._own + self._parts_of @ self._parts

    def choose(self, position: int) -> None:
        """Pay for the parts of a feature."""
        parts, features = self._parts_of, self._features_of
        for part in parts.indices[parts.indptr[position] : parts.indptr[position + 1]]:
            if not self._paid[part]:
                self._paid[part] = True
                others = features.indices[features.indptr[part] : features.indptr[part + 1]]
                # Rounding must not bring them below what is left at least.
                self.marginal[others] = np.maximum(self.marginal[others] - self._parts[part], self._own[others])
