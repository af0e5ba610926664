"""Features per atom of whole structures, for properties that do not grow with the number of atoms."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from ase import Atoms
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors.base import Descriptor
from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray


class MeanFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The features of a descriptor, averaged over the atoms of each structure.

    A descriptor's own `transform` sums them, as total energies want it; pressures, densities or energies per atom want
    means.

    Parameters
    ----------
    descriptor : Descriptor
        Such as ``SOAP()``, ``ACE()`` or ``KernelFeatures()``.

    Attributes
    ----------
    descriptor_ : Descriptor
        Fitted.

    Examples
    --------
    >>> from linmlp import SOAP
    >>> from linmlp.datasets import load_silicon
    >>> from linmlp.descriptors import MeanFeatures
    >>> small, large = load_silicon()[0][0], load_silicon()[0][0].repeat(2)
    >>> features = MeanFeatures(SOAP(4.0, n_max=3, l_max=2)).fit_transform([small, large])
    >>> bool(abs(features[0] - features[1]).max() < 1e-9)
    True
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor

    def fit(self, structures: Sequence[Atoms], y: Any = None) -> Self:
        """Fit the descriptor.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures.
        y : ignored
            For pipelines.

        Returns
        -------
        MeanFeatures
            Itself.

        Raises
        ------
        SettingsError
            If there is no descriptor, or it has no features of atoms.
        """
        if not isinstance(self.descriptor, Descriptor):
            raise SettingsError(f"descriptor={self.descriptor!r} is none; give one such as SOAP(cutoff=5.0)")
        descriptor = clone(self.descriptor).fit(structures)
        descriptor.allocate_rows(0)  # raises where features are those of whole structures already
        self.descriptor_ = descriptor
        return self

    def transform(self, structures: Sequence[Atoms]) -> FloatArray:
        """Return the mean features of each structure.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Structures of the elements that were fitted.

        Returns
        -------
        ndarray of shape (n_structures, n_features)
            Dimensionless.
        """
        check_is_fitted(self)
        sums = np.asarray(self.descriptor_.transform(structures))
        return np.asarray(sums / np.array([len(atoms) for atoms in structures])[:, None])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : ignored
            For scikit-learn.

        Returns
        -------
        ndarray of str
            Those of the descriptor.
        """
        check_is_fitted(self)
        return np.asarray(self.descriptor_.get_feature_names_out())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags
