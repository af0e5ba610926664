"""Several descriptors side by side: pairs in, all their features out."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from ase import Atoms
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.evaluators import Committee, Evaluator, check_member_coefficients
from linmlp.exceptions import SettingsError
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray


class JoinedDescriptors(Descriptor):
    """Descriptors whose features stand side by side: the energy is a sum, such as a pair term and a kernel.

    Parameters
    ----------
    descriptors : sequence of Descriptor
        At least one.

    Attributes
    ----------
    descriptors_ : list of Descriptor
        Fitted.
    elements_ : tuple of str
        Symbols.
    cutoff_ : float
        The largest cutoff, Å.
    n_features_out_ : int
        Number of features of all.

    Examples
    --------
    >>> from linmlp import ACE, SOAP
    >>> from linmlp.datasets import load_silicon
    >>> from linmlp.descriptors import JoinedDescriptors, KernelFeatures
    >>> train, test = load_silicon()
    >>> kernel = KernelFeatures(SOAP(4.0, n_max=4, l_max=3), n_sparse=20)
    >>> JoinedDescriptors([ACE(5.0, order=1, max_degree=9), kernel]).fit(train[:30]).transform(test[:3]).shape
    (3, 30)
    """

    def __init__(self, descriptors: Sequence[Descriptor]) -> None:
        self.descriptors = descriptors

    def fit(self, structures: Sequence[Atoms], y: Any = None) -> Self:
        """Fit all of them.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures.
        y : ignored
            For pipelines.

        Returns
        -------
        JoinedDescriptors
            Itself.

        Raises
        ------
        SettingsError
            If there are none, or something else is among them.
        """
        if not len(self.descriptors) or not all(isinstance(part, Descriptor) for part in self.descriptors):
            raise SettingsError(f"descriptors={self.descriptors!r}; give a list of descriptors, at least one")
        self._join([clone(part).fit(structures) for part in self.descriptors])
        return self

    def cutoff_candidates(self, structures: Sequence[Atoms]) -> tuple[float, ...]:
        """Return the largest cutoff of the descriptors, none of which is chosen from the data."""
        return (max(part.cutoff_candidates(structures)[0] for part in self.descriptors),)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return the names that the descriptors give.

        Parameters
        ----------
        input_features : ignored
            For scikit-learn.

        Returns
        -------
        ndarray of str
            One name per feature.
        """
        check_is_fitted(self)
        return np.concatenate([part.get_feature_names_out() for part in self.descriptors_])

    def compute_features(self, pairs: Pairs) -> FloatArray:
        """Return the features of every atom, (n_atoms, n_features)."""
        return np.hstack([part.compute_features(pairs) for part in self.descriptors_])

    def write_rows(
        self, pairs: Pairs, energy: FloatArray, d_positions: FloatArray | None, d_strain: FloatArray | None
    ) -> None:
        """Overwrite the arrays with the features summed over atoms and their derivatives.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure.
        energy : ndarray of shape (n_features,)
            Gets the features summed over atoms.
        d_positions : ndarray of shape (3 n_atoms, n_features) or None
            Gets their derivatives with respect to the positions, 1/Å.
        d_strain : ndarray of shape (6, n_features) or None
            Gets their derivatives with respect to the strain (Voigt).
        """
        for part, (first, last) in zip(self.descriptors_, pairwise(self._bounds), strict=True):
            own = part.allocate_rows(len(pairs.numbers))
            part.write_rows(
                pairs, own[0], None if d_positions is None else own[1], None if d_strain is None else own[2]
            )
            energy[first:last] = own[0]
            if d_positions is not None:
                d_positions[:, first:last] = own[1]
            if d_strain is not None:
                d_strain[:, first:last] = own[2]

    def pull_back(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6) from (n_atoms, n_features)."""
        bounds = pairwise(self._bounds)
        found = [
            part.pull_back(pairs, np.ascontiguousarray(d_energy_d_features[:, first:last]))
            for part, (first, last) in zip(self.descriptors_, bounds, strict=True)
        ]
        return np.sum([forces for forces, _ in found], axis=0), np.sum([strain for _, strain in found], axis=0)

    def evaluator(self, coefficients: FloatArray) -> Evaluator:
        """Return the evaluation of the energy that is linear in the features."""
        check_is_fitted(self)
        parts = zip(self.descriptors_, pairwise(self._bounds), strict=True)
        return _SummedEvaluators([part.evaluator(coefficients[first:last]) for part, (first, last) in parts])

    def committee(self, coefficients: FloatArray) -> Committee:
        """Return the evaluation of several energies that are linear in the features."""
        check_is_fitted(self)
        members = check_member_coefficients(coefficients, self.n_features_out_)
        parts = zip(self.descriptors_, pairwise(self._bounds), strict=True)
        return _SummedEvaluators([part.committee(members[:, first:last]) for part, (first, last) in parts])

    def to_state(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """Return the fitted state as json-able settings and arrays."""
        check_is_fitted(self)
        states = [part.to_state() for part in self.descriptors_]
        settings = {
            "parts": [
                {"class": type(part).__name__, "settings": own}
                for part, (own, _) in zip(self.descriptors_, states, strict=True)
            ]
        }
        return settings, {f"{k}.{name}": a for k, (_, arrays) in enumerate(states) for name, a in arrays.items()}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, FloatArray]) -> Self:
        """Return the descriptor that `to_state` described."""
        from linmlp import descriptors

        parts = []
        for k, described in enumerate(settings["parts"]):
            start = f"{k}."
            own = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
            parts.append(getattr(descriptors, described["class"]).from_state(described["settings"], own))
        joined = cls([clone(part) for part in parts])
        joined._join(parts)
        return joined

    @property
    def scale_columns(self) -> bool:  # type: ignore[override]
        """Whether the ridge acts on columns of unit norm: if all descriptors want that."""
        return all(part.scale_columns for part in self.descriptors_)

    @property
    def derivatives_lack(self) -> str | None:
        """Why there are no derivatives: what the first descriptor without them says; None if all have them."""
        return next((part.derivatives_lack for part in self.descriptors_ if part.derivatives_lack), None)

    @property
    def affords_hot_runs(self) -> bool:  # type: ignore[override]
        """Whether all descriptors are fast enough."""
        return all(part.affords_hot_runs for part in self.descriptors_)

    @property
    def notes_(self) -> tuple[str, ...]:
        """What the descriptors have to tell."""
        return tuple(note for part in self.descriptors_ for note in getattr(part, "notes_", ()))

    def _join(self, parts: list[Descriptor]) -> None:
        self.descriptors_ = parts
        self.elements_ = parts[0].elements_
        self.cutoff_ = max(part.cutoff_ for part in parts)
        self._bounds = [0, *np.cumsum([part.n_features_out_ for part in parts]).tolist()]
        self.n_features_out_ = self._bounds[-1]


class _SummedEvaluators:
    """Energies of several evaluators or committees, added."""

    def __init__(self, parts: Sequence[Evaluator | Committee]) -> None:
        self._parts = list(parts)

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies (..., n_atoms), forces (..., n_atoms, 3) and strain gradients per atom (..., n_atoms, 6)."""
        first, *others = (part.compute(pairs, n_threads) for part in self._parts)
        for other in others:
            first = (first[0] + other[0], first[1] + other[1], first[2] + other[2])
        return first
