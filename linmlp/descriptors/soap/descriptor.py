"""SOAP as a descriptor: structures in, power spectra and their derivatives out."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors.ace.basis import ANY, Channel
from linmlp.descriptors.ace.learning import atomic_numbers_of
from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.center_rows import CenterRows
from linmlp.descriptors.pulled_evaluator import PulledEvaluator
from linmlp.descriptors.soap.parameters import Compression, CutoffFunction, SoapParameters, SoapRows
from linmlp.descriptors.soap.radial import FIRST_RADIUS, RadialBasis
from linmlp.exceptions import SettingsError
from linmlp.neighbors import Pairs
from linmlp.structures import check_structures
from linmlp.units import FloatArray, IntArray

BASES = ("gto", "polynomial")
COMPRESSIONS = ("off", "mu2", "mu1nu1", "crossover")
LARGEST_L = 20


class SOAP(Descriptor):
    r"""Smooth overlap of atomic positions: the power spectrum of a neighbor density of Gaussians.

    Parameters
    ----------
    cutoff : float, default=5.0
        Cutoff radius, Å.
    n_max : int, default=8
        Number of radial functions.
    l_max : int, default=6
        Largest angular momentum.
    sigma : float, default=0.5
        Width of the Gaussians, Å.
    radial_basis : {"gto", "polynomial"}, default="gto"
        Radial functions; see `linmlp.descriptors.soap.radial`.
    cutoff_function : "cosine" or None, default="cosine"
        With "cosine" a neighbor at distance d counts as :math:`\tfrac12(1+\cos(\pi d/r_c))`, so that forces vanish at
        the cutoff, as MD needs. With None the density ends where the Gaussians no longer reach into the cutoff
        (:math:`r_c + \sigma\sqrt{-2\ln 0.001}`), and energies jump there; that is the default of dscribe.
    compression : {"off", "mu2", "mu1nu1", "crossover"}, default="off"
        Which densities are paired: those of all elements; the sum over elements with itself; every element with that
        sum; every element with itself [2]_.
    element_weights : dict of str to float, optional
        Factor of the density of every element, by symbol; 1 for those that are not named. Tells elements apart in
        "mu2".

    Attributes
    ----------
    elements_ : tuple of str
        Symbols in the order of their atomic numbers.
    cutoff_ : float
        Distance up to which neighbors count, Å.
    parameters_ : SoapParameters
        What is computed.
    n_features_out_ : int
        Number of features.

    Notes
    -----
    The power spectrum of an atom is
    :math:`p_{nn'l}^{ab} = \pi\sqrt{8/(2l+1)} \sum_m c_{nlm}^a (c_{n'lm}^b)^*` [1]_, with the atom itself in the density
    of its element; `power_spectrum` returns it. As a feature it has that of a lone atom subtracted, so that
    a lone atom has the reference energy; and every atom has the features of its own element, those of others are zero.

    References
    ----------
    .. [1] A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115 (2013).
    .. [2] J. P. Darby, J. R. Kermode, G. Csányi, npj Comput. Mater. 8, 166 (2022).

    Examples
    --------
    >>> from ase.build import bulk
    >>> from linmlp import SOAP
    >>> descriptor = SOAP(cutoff=4.0, n_max=3, l_max=2).fit([bulk("Cu", cubic=True)])
    >>> descriptor.transform([bulk("Cu")]).shape
    (1, 18)
    >>> descriptor.get_feature_names_out()[-1]
    'Cu|Cu.Cu n=2,2 l=2'
    """

    def __init__(
        self,
        cutoff: float = 5.0,
        n_max: int = 8,
        l_max: int = 6,
        sigma: float = 0.5,
        radial_basis: RadialBasis = "gto",
        cutoff_function: CutoffFunction = "cosine",
        compression: Compression = "off",
        element_weights: Mapping[str, float] | None = None,
    ) -> None:
        self.cutoff = cutoff
        self.n_max = n_max
        self.l_max = l_max
        self.sigma = sigma
        self.radial_basis = radial_basis
        self.cutoff_function = cutoff_function
        self.compression = compression
        self.element_weights = element_weights

    def fit(self, structures: Sequence[Atoms], y: Any = None) -> Self:
        """Learn the elements.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures.
        y : ignored
            For pipelines.

        Returns
        -------
        SOAP
            Itself.

        Raises
        ------
        SettingsError
            If an argument is out of range.
        """
        structures = check_structures(structures)
        self._check_arguments()
        self._set_numbers(atomic_numbers_of(structures))
        return self

    def cutoff_candidates(self, structures: Sequence[Atoms]) -> tuple[float, ...]:
        """Return the cutoff, which is not chosen from the data."""
        return (float(self.cutoff),)

    def power_spectrum(self, structure: Atoms) -> FloatArray:
        """Return the power spectra of the atoms.

        Parameters
        ----------
        structure : ase.Atoms
            Of elements that were fitted.

        Returns
        -------
        ndarray of shape (n_atoms, n_functions)
            Dimensionless, whatever the element of the atom: by pair of elements, l, n, n', as dscribe orders them.
        """
        check_is_fitted(self)
        pairs = self.pairs(structure)
        kinds = self.parameters_.element_indices(pairs.numbers)
        blocks = self._rows.compute_features(pairs).reshape(len(kinds), len(self.elements_), -1)
        return np.asarray(blocks[np.arange(len(kinds)), kinds])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return names such as ``Si|Si.Si n=2,1 l=3``: center, elements of the densities (* for all), n and l.

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
        names = [f"{center}|{self._name(*f)}" for center in self.elements_ for f in self.parameters_.functions]
        return np.array(names, dtype=object)

    def feature_degrees(self) -> np.ndarray[Any, Any]:
        """Return the (order, total degree) of every feature, shape (n_features, 2)."""
        check_is_fitted(self)
        table = [(len(f), sum(n + l for _, n, l in f)) for f in self.parameters_.functions]
        return np.tile(np.array(table), (len(self.elements_), 1))

    def compute_features(self, pairs: Pairs) -> FloatArray:
        """Return the features of every atom, (n_atoms, n_features)."""
        kinds = self.parameters_.element_indices(pairs.numbers)
        return np.asarray(self._rows.compute_features(pairs) - self._lone[kinds])

    def environment_features(self, pairs: Pairs) -> FloatArray:
        """Return the power spectra (n_atoms, n_features), zero outside of the block of the atom's own element."""
        return self._rows.compute_features(pairs)

    def allocate_rows(self, n_atoms: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return arrays for `write_rows`: (n_features,), (3 n_atoms, n_features), (6, n_features)."""
        return self._rows.allocate(n_atoms)

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
        self._rows.write(pairs, energy, d_positions, d_strain)
        kinds = self.parameters_.element_indices(pairs.numbers)
        energy -= np.bincount(kinds, minlength=len(self.elements_)) @ self._lone

    def pull_back(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6) from (n_atoms, n_features)."""
        return self._rows.pull_back(pairs, d_energy_d_features)

    def pull_back_own(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return those of several energies from (n_members, n_atoms, n_functions), in one pass over the neighbors."""
        return self._rows.pull_back_own(pairs, d_energy_d_features)

    def feature_multiplicities(self) -> FloatArray:
        """Return how often every function stands in the full power spectrum: twice if its two densities differ."""
        return np.array([1.0 if first == second else 2.0 for first, second in self.parameters_.functions])

    def center_rows(self, pairs: Pairs, centers: IntArray) -> CenterRows:
        """Return features and derivatives of single centers of one element."""
        return self._rows.of_centers(pairs, centers)

    def evaluator(self, coefficients: FloatArray) -> PulledEvaluator:
        """Return the evaluation of the energy that is linear in the features."""
        check_is_fitted(self)
        return PulledEvaluator(self, coefficients)

    def to_state(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """Return the fitted state as json-able settings and arrays."""
        check_is_fitted(self)
        arguments = self.get_params()
        if self.element_weights is not None:
            arguments["element_weights"] = {symbol: float(w) for symbol, w in self.element_weights.items()}
        return {"arguments": arguments, "numbers": list(self.parameters_.numbers)}, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, FloatArray]) -> Self:
        """Return the descriptor that `to_state` described."""
        descriptor = cls(**settings["arguments"])
        descriptor._set_numbers(tuple(settings["numbers"]))
        return descriptor

    def _set_numbers(self, numbers: tuple[int, ...]) -> None:
        """Make everything that follows from the elements."""
        self.elements_ = tuple(chemical_symbols[z] for z in numbers)
        weights = dict(self.element_weights or {})
        self.parameters_ = SoapParameters(
            numbers=numbers,
            n_max=int(self.n_max),
            l_max=int(self.l_max),
            basis=self.radial_basis,
            basis_cutoff=float(self.cutoff),
            sigma=float(self.sigma),
            cutoff_function=self.cutoff_function,
            compression=self.compression,
            weights=tuple(float(weights.get(symbol, 1.0)) for symbol in self.elements_),
        )
        self.cutoff_ = self.parameters_.cutoff
        self.n_features_out_ = self.parameters_.n_features
        self._rows = SoapRows(self.parameters_)
        alone = [self.pairs(Atoms(symbol)) for symbol in self.elements_]
        self._lone = np.concatenate([self._rows.compute_features(pairs) for pairs in alone])

    def _check_arguments(self) -> None:
        """Raise where an argument cannot be used."""
        for name, value in (("cutoff", self.cutoff), ("sigma", self.sigma)):
            if not (isinstance(value, int | float | np.number) and 0.0 < value < np.inf):
                raise SettingsError(f"{name}={value!r}; it must be a positive number of Å")
        if self.radial_basis not in BASES:
            raise SettingsError(f"radial_basis={self.radial_basis!r}; it must be one of {', '.join(BASES)}")
        if self.radial_basis == "gto" and self.cutoff <= FIRST_RADIUS:
            raise SettingsError(
                f"cutoff={self.cutoff!r}; the gto basis needs more than {FIRST_RADIUS:g} Å: give a larger cutoff or "
                'the basis "polynomial"'
            )
        if self.cutoff_function not in ("cosine", None):
            raise SettingsError(f'cutoff_function={self.cutoff_function!r}; it must be "cosine" or None')
        if self.compression not in COMPRESSIONS:
            raise SettingsError(f"compression={self.compression!r}; it must be one of {', '.join(COMPRESSIONS)}")
        for name, number, least, most in (("n_max", self.n_max, 1, np.inf), ("l_max", self.l_max, 0, LARGEST_L)):
            if not isinstance(number, int | np.integer) or not least <= number <= most:
                raise SettingsError(f"{name}={number!r}; it must be a whole number from {least} to {most}")
        strangers = [symbol for symbol in self.element_weights or {} if symbol not in atomic_numbers]
        if strangers:
            raise SettingsError(f"element_weights names {', '.join(strangers)}; give symbols of elements")

    def _name(self, first: Channel, second: Channel) -> str:
        symbols = ".".join("*" if e == ANY else self.elements_[e] for e, _, _ in (first, second))
        return f"{symbols} n={first[1]},{second[1]} l={first[2]}"
