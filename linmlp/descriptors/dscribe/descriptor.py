"""Descriptors of dscribe as transformers: structures in, features and, where there are any, derivatives out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors.ace.learning import atomic_numbers_of
from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.center_rows import CenterRows
from linmlp.descriptors.dscribe.environments import Environment, cluster, environment, features_of, gradients_of
from linmlp.descriptors.dscribe.objects import (
    class_of,
    is_local,
    lacks_analytic,
    make_object,
    multiplicities,
    parameters_of,
    reach_of,
    species_of,
)
from linmlp.descriptors.pulled_evaluator import PulledEvaluator
from linmlp.exceptions import SettingsError, StructureError
from linmlp.neighbors import Pairs, find_pairs
from linmlp.structures import check_structures
from linmlp.units import FloatArray, IntArray, voigt_from_matrix

Derivatives = Literal["analytic", "numerical"] | None


class DScribeDescriptor(Descriptor):
    """A descriptor of dscribe: SOAP, ACSF, LMBTR; MBTR and matrices for whole structures (``linmlp[dscribe]``).

    Parameters
    ----------
    descriptor : object
        Of one of dscribe's classes [1]_. Made with ``periodic=True`` it takes structures of any periodicity, else only
        those without. Whether its output is sparse or in single precision does not matter.
    derivatives : {"analytic", "numerical"} or None, default=None
        "analytic" are those of dscribe, which are there for SOAP with gto, without a weighting, and with the
        compression "off" or "crossover" (see Notes). "numerical" are dscribe's central differences with a step of
        1e-4 Å, which are off by about 1e-8 of the largest and take ten times as long. None means analytic ones, or
        none, where there are no analytic ones: then there are energies, but neither forces nor stresses.

    Attributes
    ----------
    elements_ : tuple of str
        Symbols in the order of their atomic numbers.
    cutoff_ : float
        Distance up to which neighbors count, Å; NaN for descriptors of whole structures.
    is_local_ : bool
        Whether there are features of every atom.
    n_features_out_ : int
        Number of features.

    Notes
    -----
    dscribe itself has analytic derivatives for molecules only, and none with respect to the strain. The features of an
    atom are computed here from a molecule of the atom and all its neighbors, images included; the derivatives with
    respect to the vectors between them give exact forces and stresses of any cell.

    As in `linmlp.SOAP`, the features of a lone atom are subtracted, so that it has the reference energy, and every atom
    has the features of its own element, those of others are zero. Without a weighting that ends smoothly, dscribe's
    SOAP jumps a little where a neighbor enters the cutoff; LMBTR does so at its threshold.

    Descriptors of whole structures (`MBTR`, matrices, averaged SOAP) have features for `transform` alone, such as in a
    pipeline: energies of atoms cannot be made of them.

    References
    ----------
    .. [1] L. Himanen et al., Comput. Phys. Commun. 247, 106949 (2020); J. Laakso et al., J. Chem. Phys. 158, 234802
       (2023).
    """

    affords_hot_runs = False

    def __init__(self, descriptor: Any, derivatives: Derivatives = None) -> None:
        self.descriptor = descriptor
        self.derivatives = derivatives

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
        DScribeDescriptor
            Itself.

        Raises
        ------
        SettingsError
            If the descriptor is none of dscribe's, was not told of an element, or has not the derivatives.
        StructureError
            If a structure is periodic and the descriptor is not.
        """
        structures = check_structures(structures)
        if self.derivatives not in ("analytic", "numerical", None):
            raise SettingsError(f'derivatives={self.derivatives!r}; it must be "analytic", "numerical" or None')
        name, parameters = class_of(self.descriptor), parameters_of(self.descriptor)
        self._set(name, parameters, atomic_numbers_of(structures))
        if self.derivatives == "analytic" and self.derivatives_lack is not None:
            raise SettingsError(self.derivatives_lack)
        for structure in structures:
            self._check_periodicity(bool(structure.pbc.any()))
        return self

    def cutoff_candidates(self, structures: Sequence[Atoms]) -> tuple[float, ...]:
        """Return the range of the descriptor, which is not chosen from the data."""
        if not is_local(class_of(self.descriptor), parameters_of(self.descriptor)):
            raise SettingsError(_whole_structures(class_of(self.descriptor)))
        return (reach_of(self.descriptor),)

    def transform(self, structures: Sequence[Atoms]) -> FloatArray:
        """Return the features summed over atoms, or those of whole structures.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Structures of the elements that were fitted.

        Returns
        -------
        ndarray of shape (n_structures, n_features)
            As dscribe has them.
        """
        check_is_fitted(self)
        if self.is_local_:
            return super().transform(structures)
        for structure in check_structures(structures):
            self.element_indices(np.asarray(structure.numbers))
        return np.array([np.asarray(self._made.create(structure), dtype=float) for structure in structures])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return names such as ``Si|SOAP 17``: center, class, and the number that dscribe gives the feature.

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
        own = [f"{self._name} {k}" for k in range(self._made.get_number_of_features())]
        names = [f"{symbol}|{name}" for symbol in self.elements_ for name in own] if self.is_local_ else own
        return np.array(names, dtype=object)

    @property
    def derivatives_lack(self) -> str | None:
        """Why there are no forces and stresses, or None where there are."""
        if not self.is_local_:
            return _whole_structures(self._name)
        lacking = lacks_analytic(self._name, self._parameters)
        if lacking is None or self.derivatives == "numerical":
            return None
        return (
            f"dscribe has no analytic derivatives of {lacking}, which forces and stresses need; ask for central "
            'differences with DScribeDescriptor(..., derivatives="numerical"), or fit and predict energies alone '
            "(force_weight=0, stress_weight=0)"
        )

    def pairs(self, structure: Atoms) -> Pairs:
        """Return the pairs of a structure within the cutoff."""
        self._check_local()
        self._check_periodicity(bool(structure.pbc.any()))
        return find_pairs(structure, self.cutoff_)

    def compute_features(self, pairs: Pairs) -> FloatArray:
        """Return the features of every atom, (n_atoms, n_features)."""
        features, kinds = self.environment_features(pairs), self.element_indices(pairs.numbers)
        for z in range(len(self.elements_)):
            features[kinds == z, self._block(z)] -= self._lone[z]
        return features

    def environment_features(self, pairs: Pairs) -> FloatArray:
        """Return what dscribe gives for every atom, zero outside of the block of its own element."""
        self._check_local()
        self._check_periodicity(bool(np.any(pairs.shift)))
        kinds = self.element_indices(pairs.numbers)
        found = features_of(self._made, cluster(pairs, self.cutoff_), len(kinds))
        features = np.zeros((len(kinds), self.n_features_out_))
        for z in range(len(self.elements_)):
            features[kinds == z, self._block(z)] = found[kinds == z]
        return features

    def allocate_rows(self, n_atoms: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return arrays for `write_rows`: (n_features,), (3 n_atoms, n_features), (6, n_features)."""
        self._check_local()
        return super().allocate_rows(n_atoms)

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

        Raises
        ------
        SettingsError
            If derivatives are wanted that there are not.
        """
        energy[:] = self.compute_features(pairs).sum(axis=0)
        if d_positions is None and d_strain is None:
            return
        rows, strain = np.zeros((len(pairs.numbers), 3, len(energy))), np.zeros((6, len(energy)))
        for i, z, around, _, gradients in self._derivatives(pairs, np.arange(len(pairs.numbers))):
            block = self._block(z)
            np.add.at(rows[:, :, block], around.j, gradients)
            rows[i, :, block] -= gradients.sum(axis=0)
            strain[:, block] += _strained(around.vectors, gradients)
        if d_positions is not None:
            d_positions[:] = rows.reshape(len(d_positions), -1)
        if d_strain is not None:
            d_strain[:] = strain

    def pull_back(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6) from (n_atoms, n_features).

        They are NaN where there are no derivatives.
        """
        n_atoms = len(pairs.numbers)
        if self.derivatives_lack is not None:
            return np.full((n_atoms, 3), np.nan), np.full((n_atoms, 6), np.nan)
        forces, strain = np.zeros((n_atoms, 3)), np.zeros((n_atoms, 6))
        for i, z, around, _, gradients in self._derivatives(pairs, np.arange(n_atoms)):
            pulled = gradients @ d_energy_d_features[i, self._block(z)]
            np.subtract.at(forces, around.j, pulled)
            forces[i] += pulled.sum(axis=0)
            strain[i] = _strained(around.vectors, pulled[:, :, None])[:, 0]
        return forces, strain

    def pull_back_own(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return those of several energies from (n_members, n_atoms, n_functions), with derivatives made once."""
        n_members, n_atoms, _ = d_energy_d_features.shape
        forces, strain = np.zeros((n_members, n_atoms, 3)), np.zeros((n_members, n_atoms, 6))
        if self.derivatives_lack is not None:
            return np.full_like(forces, np.nan), np.full_like(strain, np.nan)
        for i, _, around, _, gradients in self._derivatives(pairs, np.arange(n_atoms)):
            pulled = np.moveaxis(gradients @ d_energy_d_features[:, i].T, -1, 0)
            for of_member, own in zip(forces, pulled, strict=True):
                np.subtract.at(of_member, around.j, own)
                of_member[i] += own.sum(axis=0)
            strain[:, i] = _strained(around.vectors, np.moveaxis(pulled, 0, -1)).T
        return forces, strain

    def feature_multiplicities(self) -> FloatArray:
        """Return how often every function stands in the full power spectrum of SOAP; 1 for other descriptors."""
        self._check_local()
        known = species_of(self._made) or ()
        return multiplicities(self._name, self._parameters, len(known), self._made.get_number_of_features())

    def center_rows(self, pairs: Pairs, centers: IntArray) -> CenterRows:
        """Return features and derivatives of single centers of one element."""
        features, slots, atoms, positions, strain = [], [0], [], [], []
        for i, _, around, own, gradients in self._derivatives(pairs, centers):
            own_atoms, place = np.unique(np.append(around.j, i), return_inverse=True)
            rows = np.zeros((len(own_atoms), *gradients.shape[1:]))
            np.add.at(rows, place, np.concatenate([gradients, -gradients.sum(axis=0, keepdims=True)]))
            features.append(own)
            slots.append(slots[-1] + len(own_atoms))
            atoms.append(own_atoms)
            positions.append(rows.reshape(3 * len(own_atoms), -1))
            strain.append(_strained(around.vectors, gradients))
        return CenterRows(
            np.array(features),
            np.array(slots),
            np.concatenate(atoms),
            np.concatenate(positions),
            np.concatenate(strain),
        )

    def evaluator(self, coefficients: FloatArray) -> PulledEvaluator:
        """Return the evaluation of the energy that is linear in the features."""
        check_is_fitted(self)
        return PulledEvaluator(self, coefficients)

    def to_state(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """Return the fitted state as json-able settings and arrays."""
        check_is_fitted(self)
        numbers = [atomic_numbers[symbol] for symbol in self.elements_]
        return {
            "class": self._name,
            "parameters": self._parameters,
            "derivatives": self.derivatives,
            "numbers": numbers,
        }, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, FloatArray]) -> Self:
        """Return the descriptor that `to_state` described."""
        descriptor = cls(make_object(settings["class"], settings["parameters"]), settings["derivatives"])
        descriptor._set(settings["class"], settings["parameters"], tuple(settings["numbers"]))
        return descriptor

    def _set(self, name: str, parameters: Mapping[str, Any], numbers: tuple[int, ...]) -> None:
        """Make everything that follows from the parameters and the elements."""
        self._name, self._parameters, self.is_local_ = name, dict(parameters), is_local(name, parameters)
        # The neighbors come from here, with all images, so that a local descriptor need not know of cells.
        self._made = make_object(name, {**parameters, "periodic": False} if self.is_local_ else parameters)
        known = species_of(self._made)
        strangers = [] if known is None else [chemical_symbols[z] for z in numbers if z not in known]
        if strangers:
            told = ", ".join(chemical_symbols[z] for z in known or ())
            raise SettingsError(
                f"the structures hold {', '.join(strangers)}, which dscribe's {name} was not told of (species: {told})"
                "; make it with all elements of the structures"
            )
        self.elements_ = tuple(chemical_symbols[z] for z in numbers)
        n_functions = int(self._made.get_number_of_features())
        self.cutoff_ = reach_of(self._made) if self.is_local_ else np.nan
        self.n_features_out_ = n_functions * (len(numbers) if self.is_local_ else 1)
        if self.is_local_:
            self._lone = np.array([features_of(self._made, Atoms(symbol), 1)[0] for symbol in self.elements_])

    def _block(self, z: int) -> slice:
        """Return the features of an element."""
        n = self.n_features_out_ // len(self.elements_)
        return slice(z * n, (z + 1) * n)

    def _derivatives(
        self, pairs: Pairs, centers: IntArray
    ) -> Iterator[tuple[int, int, Environment, FloatArray, FloatArray]]:
        """Yield atoms, their elements, neighbors, features, and the derivatives of these."""
        if self.derivatives_lack is not None:
            raise SettingsError(self.derivatives_lack)
        self._check_local()
        self._check_periodicity(bool(np.any(pairs.shift)))
        kinds = self.element_indices(pairs.numbers)
        method = "numerical" if self.derivatives == "numerical" else "analytical"
        for i in centers:
            around = environment(pairs, i, self.cutoff_)
            yield int(i), int(kinds[i]), around, *gradients_of(self._made, around, method)

    def _check_local(self) -> None:
        """Raise where features of atoms are wanted that there are not."""
        if not self.is_local_:
            raise SettingsError(_whole_structures(self._name))

    def _check_periodicity(self, is_periodic: bool) -> None:
        """Raise where a structure is periodic and the descriptor is not."""
        if is_periodic and self.is_local_ and not self._parameters["periodic"]:
            raise StructureError(
                f"the structure is periodic, but dscribe's {self._name} was made with periodic=False; make it with "
                "periodic=True, which takes structures that are not periodic, too"
            )

    def __sklearn_clone__(self) -> "DScribeDescriptor":
        """Return an unfitted one; dscribe's objects know no scikit-learn, and are never changed here."""
        return type(self)(self.descriptor, self.derivatives)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """Return the class and its parameters."""
        try:
            parameters = {k: v for k, v in parameters_of(self.descriptor).items() if v is not None}
        except SettingsError:
            return super().__repr__(N_CHAR_MAX)  # type: ignore[no-any-return]
        told = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
        more = "" if self.derivatives is None else f", derivatives={self.derivatives!r}"
        return f"DScribeDescriptor({class_of(self.descriptor)}({told}){more})"


def _strained(vectors: FloatArray, gradients: FloatArray) -> FloatArray:
    """Return derivatives with respect to the strain (Voigt), (6, n), from those to vectors, (n_neighbors, 3, n)."""
    return voigt_from_matrix(np.einsum("ka,kbf->fab", vectors, gradients)).T


def _whole_structures(name: str) -> str:
    return (
        f"dscribe's {name} describes whole structures here, so that no energies of atoms, forces or kernels can be "
        "made of it; take its features with transform, such as in pipelines, or give SOAP (not averaged), ACSF or LMBTR"
    )
