"""Kernel values to representative environments as a descriptor."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from ase import Atoms
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.evaluators import QuadraticForm, check_member_coefficients
from linmlp.descriptors.kernel.evaluator import KernelCommittee, KernelEvaluator, KernelParts
from linmlp.descriptors.kernel.judging import KernelJudgingEvaluator, KernelSummingEvaluator
from linmlp.descriptors.kernel.loops import add_slopes
from linmlp.descriptors.kernel.representatives import Representatives, make_representatives
from linmlp.descriptors.kernel.selection import Selection, select_environments
from linmlp.descriptors.soap import SOAP
from linmlp.descriptors.threads import blas_threads
from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.neighbors import Pairs
from linmlp.structures import check_structures
from linmlp.units import FloatArray, IntArray

BATCH_ROWS = 4096
"""Rows of derivatives that are projected on the representatives at once."""

OFFSET = 0.1
"""Constant beside features that vanish for a lone atom, in units of their median length."""


class KernelFeatures(Descriptor):
    """Whitened kernel values of every atom to representative environments of its element.

    Parameters
    ----------
    descriptor : Descriptor, optional
        Features that the kernel compares; None means ``SOAP()``.
    n_sparse : int, default=1000
        Representatives for each element.
    zeta : float, default=4
        Exponent of the kernel, 1 or more.
    selection : {"fps", "cur", "random"}, default="fps"
        How they are chosen: farthest points, largest leverages as CUR takes them, or at random.
    per_group : dict of str to int, optional
        Representatives that are taken from the structures of a ``config_type`` before the rest is taken from all.
    n_candidates : int, default=20000
        Atoms of each element that they are chosen from, at random.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    elements_ : tuple of str
        Symbols.
    cutoff_ : float
        Å.
    descriptor_ : Descriptor
        Fitted.
    representatives_ : list of Representatives
        One per element; see there for formulas.
    n_features_out_ : int
        Number of features.
    notes_ : tuple of str
        What was reduced, and why.

    Examples
    --------
    >>> from linmlp import SOAP
    >>> from linmlp.datasets import load_silicon
    >>> from linmlp.descriptors import KernelFeatures
    >>> train, test = load_silicon()
    >>> descriptor = KernelFeatures(SOAP(4.0, n_max=4, l_max=3), n_sparse=20).fit(train[:30])
    >>> descriptor.transform(test[:3]).shape
    (3, 20)
    """

    scale_columns = False  # the norm of the coefficients is that of the function in the space of the kernel

    def __init__(
        self,
        descriptor: Descriptor | None = None,
        n_sparse: int = 1000,
        zeta: float = 4.0,
        selection: Selection = "fps",
        per_group: Mapping[str, int] | None = None,
        n_candidates: int = 20000,
        random_state: int = 0,
    ) -> None:
        self.descriptor = descriptor
        self.n_sparse = n_sparse
        self.zeta = zeta
        self.selection = selection
        self.per_group = per_group
        self.n_candidates = n_candidates
        self.random_state = random_state

    def fit(self, structures: Sequence[Atoms], y: Any = None) -> Self:
        """Fit the descriptor and choose the representatives.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures.
        y : ignored
            For pipelines.

        Returns
        -------
        KernelFeatures
            Itself.

        Raises
        ------
        SettingsError
            If an argument cannot be used.

        Warns
        -----
        LinmlpWarning
            If there are fewer different environments than were wanted.
        """
        structures = check_structures(structures)
        self._check_arguments()
        inner = clone(SOAP() if self.descriptor is None else self.descriptor).fit(structures)
        self._set_descriptor(inner)
        rng = np.random.default_rng(self.random_state)
        candidates, groups = self._candidates(structures, rng)
        strangers = sorted(set(self.per_group or {}) - {group for of_element in groups for group in of_element})
        if strangers:
            raise SettingsError(f"per_group names {', '.join(strangers)}, which no structure has as config_type")
        notes: list[str] = []
        self.representatives_ = []
        with blas_threads(1):  # a thousand small products: threads of BLAS would wait for each other
            for z, symbol in enumerate(self.elements_):
                made, told = self._represent(z, candidates[z], groups[z], rng)
                self.representatives_.append(made)
                notes += [f"{symbol}: {note}" for note in told]
        self.notes_ = tuple(notes)
        self.n_features_out_ = self._first[-1]
        fewer = [note for note in notes if "instead of" in note]
        if fewer:  # that directions are dropped is the usual thing
            warnings.warn("; ".join(fewer), LinmlpWarning, stacklevel=2)
        return self

    @property
    def derivatives_lack(self) -> str | None:
        """Why there are no derivatives: those of the descriptor that is compared; None if there are."""
        return self.descriptor_.derivatives_lack

    @property
    def affords_hot_runs(self) -> bool:  # type: ignore[override]
        """Whether the descriptor that is compared is fast enough."""
        return self.descriptor_.affords_hot_runs

    def cutoff_candidates(self, structures: Sequence[Atoms]) -> tuple[float, ...]:
        """Return the cutoff of the descriptor, which is not chosen from the data."""
        inner = SOAP() if self.descriptor is None else self.descriptor
        return inner.cutoff_candidates(structures)[:1]  # type: ignore[no-any-return]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return names such as ``Si|kernel 17``: element and number of the direction, largest eigenvalue first.

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
        each = zip(self.elements_, self.representatives_, strict=True)
        return np.array([f"{symbol}|kernel {k}" for symbol, r in each for k in range(r.n_kept)], dtype=object)

    def compute_features(self, pairs: Pairs) -> FloatArray:
        """Return the features of every atom, (n_atoms, n_features)."""
        environments, kinds = self._environments(pairs)
        features = np.zeros((len(kinds), self.n_features_out_))
        for z, representatives in enumerate(self.representatives_):
            centers = np.flatnonzero(kinds == z)
            features[centers, self._block(z)] = representatives.values(environments[z])
        return features

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
        if d_positions is None and d_strain is None:
            energy[:] = self.compute_features(pairs).sum(axis=0)
            return
        kinds = self._kinds(pairs)
        for z, representatives in enumerate(self.representatives_):
            block, centers = self._block(z), np.flatnonzero(kinds == z)
            values, positions, strain = self._summed_rows(z, pairs, centers)
            energy[block] = (values - len(centers) * representatives.lone_values) @ representatives.whitening
            if d_positions is not None:
                np.matmul(positions, representatives.whitening, out=d_positions[:, block])
            if d_strain is not None:
                np.matmul(strain, representatives.whitening, out=d_strain[:, block])

    def pull_back(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6) from (n_atoms, n_features)."""
        environments, kinds = self._environments(pairs)
        weights = np.zeros((len(kinds), self.descriptor_.n_features_out_))
        for z, representatives in enumerate(self.representatives_):
            centers = np.flatnonzero(kinds == z)
            weights[centers, self._inner_block(z)] = self._scale * representatives.pull_back(
                environments[z], np.ascontiguousarray(d_energy_d_features[centers, self._block(z)])
            )
        return self.descriptor_.pull_back(pairs, weights)

    def evaluator(self, coefficients: FloatArray) -> KernelEvaluator:
        """Return the evaluation of the energy that is linear in the features."""
        return KernelEvaluator(self._parts(), self._of_elements(coefficients))

    def committee(self, coefficients: FloatArray) -> KernelCommittee:
        """Return the evaluation of several energies that are linear in the features, from the same kernel values."""
        members = check_member_coefficients(coefficients, self.n_features_out_)
        return KernelCommittee(self._parts(), self._of_elements(members))

    def summing_evaluator(self, coefficients: FloatArray, features: IntArray | None = None) -> KernelSummingEvaluator:
        """Return the evaluation of an energy, with sums of features from the same kernel values."""
        return KernelSummingEvaluator(self._parts(), self._of_elements(coefficients), features)

    def judging_evaluator(
        self, coefficients: FloatArray, members: FloatArray, form: QuadraticForm, features: IntArray | None = None
    ) -> KernelJudgingEvaluator:
        """Return the evaluation of a potential with a committee and a form of atoms' features, in one pass.

        Parameters
        ----------
        coefficients : ndarray of shape (n_features,)
            Coefficients of the potential, eV.
        members : ndarray of shape (n_members, n_features)
            Coefficients of the committee, at least one, eV.
        form : QuadraticForm
            Such as the leverage of an atom.
        features : ndarray of int, shape (n_summed,), or None
            Features to sum over atoms; None for all.

        Returns
        -------
        KernelJudgingEvaluator
            With ten members about four times as long as one evaluation.

        Raises
        ------
        SettingsError
            If the coefficients of the committee have another shape.
        """
        members = check_member_coefficients(members, self.n_features_out_)
        together = np.vstack([np.asarray(coefficients, dtype=float), members])
        return KernelJudgingEvaluator(self._parts(), self._of_elements(together), form, features)

    def to_state(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """Return the fitted state as json-able settings and arrays."""
        check_is_fitted(self)
        inner, arrays = self.descriptor_.to_state()
        arguments = self.get_params(deep=False)
        arguments.pop("descriptor")
        if self.per_group is not None:
            arguments["per_group"] = {group: int(count) for group, count in self.per_group.items()}
        settings = {
            "arguments": arguments,
            "is_default": self.descriptor is None,
            "inner": {"class": type(self.descriptor_).__name__, "settings": inner},
            "notes": list(self.notes_),
            "offsets": [r.offset for r in self.representatives_],
        }
        state = {f"inner.{name}": array for name, array in arrays.items()}
        for z, r in enumerate(self.representatives_):
            for name in ("vectors", "constants", "whitening", "lone"):
                state[f"{z}.{name}"] = getattr(r, name)
        return settings, state

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, FloatArray]) -> Self:
        """Return the descriptor that `to_state` described."""
        from linmlp import descriptors

        kind = getattr(descriptors, settings["inner"]["class"])
        start = "inner."
        inner = kind.from_state(
            settings["inner"]["settings"],
            {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)},
        )
        given = None if settings["is_default"] else clone(inner)
        descriptor = cls(given, **settings["arguments"])
        descriptor._set_descriptor(inner)
        descriptor.representatives_ = [
            Representatives(
                **{name: arrays[f"{z}.{name}"] for name in ("vectors", "constants", "whitening", "lone")},
                offset=offset,
                zeta=float(descriptor.zeta),
            )
            for z, offset in enumerate(settings["offsets"])
        ]
        descriptor.notes_ = tuple(settings["notes"])
        descriptor.n_features_out_ = descriptor._first[-1]
        return descriptor

    def _set_descriptor(self, inner: Descriptor) -> None:
        self.descriptor_ = inner
        self.elements_, self.cutoff_ = inner.elements_, inner.cutoff_
        self._scale = inner.feature_multiplicities() ** 0.5
        self._known_columns: dict[int, FloatArray] = {}

    def _parts(self) -> KernelParts:
        """Return what evaluators are made of."""
        check_is_fitted(self)
        return KernelParts(self.descriptor_, self.representatives_, self._scale)

    def _of_elements(self, coefficients: FloatArray) -> list[FloatArray]:
        """Return the coefficients (..., n_features) of every element."""
        every = np.asarray(coefficients, dtype=float)
        return [every[..., self._block(z)] for z in range(len(self.elements_))]

    @property
    def _first(self) -> list[int]:
        """Where the features of every element begin."""
        return [0, *np.cumsum([r.n_kept for r in self.representatives_]).tolist()]

    def _block(self, z: int) -> slice:
        """Return the features of an element."""
        return slice(*self._first[z : z + 2])

    def _inner_block(self, z: int) -> slice:
        """Return the functions of the descriptor around an element."""
        n = self.descriptor_.n_features_out_ // len(self.elements_)
        return slice(z * n, (z + 1) * n)

    def _kinds(self, pairs: Pairs) -> IntArray:
        """Return the element index of every atom."""
        return self.descriptor_.element_indices(pairs.numbers)

    def _environments(self, pairs: Pairs) -> tuple[list[FloatArray], IntArray]:
        """Return the scaled features (n, n_functions) of the atoms of every element, and the elements."""
        kinds = self._kinds(pairs)
        all_features = self.descriptor_.environment_features(pairs)
        return [all_features[kinds == z, self._inner_block(z)] * self._scale for z in range(len(self.elements_))], kinds

    def _candidates(
        self, structures: Sequence[Atoms], rng: np.random.Generator
    ) -> tuple[list[FloatArray], list[list[str]]]:
        """Return features of atoms of every element at random, and the groups of their structures."""
        per_structure = [self.descriptor_.element_indices(np.asarray(atoms.numbers)) for atoms in structures]
        owner = np.repeat(np.arange(len(structures)), [len(kinds) for kinds in per_structure])
        kinds = np.concatenate(per_structure)
        keep = np.zeros(len(kinds), dtype=bool)
        for z in range(len(self.elements_)):
            members = np.flatnonzero(kinds == z)
            keep[rng.permutation(members)[: self.n_candidates]] = True
        found: list[list[FloatArray]] = [[] for _ in self.elements_]
        groups: list[list[str]] = [[] for _ in self.elements_]
        first = np.concatenate([[0], np.cumsum([len(k) for k in per_structure])])
        for s in np.unique(owner[keep]):
            kept = keep[first[s] : first[s + 1]]
            environments, own = self._environments(self.pairs(structures[s]))
            group = str(structures[s].info.get("config_type", ""))
            for z, of_element in enumerate(environments):
                chosen = of_element[kept[own == z]]
                found[z].append(chosen)
                groups[z] += [group] * len(chosen)
        return [np.concatenate(of_element) for of_element in found], groups

    def _represent(
        self, z: int, features: FloatArray, groups: list[str], rng: np.random.Generator
    ) -> tuple[Representatives, list[str]]:
        """Return the representatives of an element, and what has to be told."""
        lone_pairs = self.descriptor_.pairs(Atoms(self.elements_[z]))
        lone = self.descriptor_.environment_features(lone_pairs)[0, self._inner_block(z)] * self._scale
        lengths = np.sqrt(np.einsum("if,if->i", features, features))
        offset = 0.0 if np.any(lone) else OFFSET * float(np.median(lengths)) or 1.0
        constants = np.full((len(features), 1), offset)
        units = np.hstack([features, constants]) / np.hypot(lengths, offset)[:, None]
        present = {g: n for g, n in (self.per_group or {}).items() if g in set(groups)}
        chosen = select_environments(units, self.n_sparse, self.selection, float(self.zeta), rng, groups, present)
        made, n_dropped = make_representatives(features[chosen], lone, offset, float(self.zeta))
        told = []
        if len(chosen) < self.n_sparse:
            told.append(
                f"{len(chosen)} representatives instead of n_sparse={self.n_sparse}; no more of the {len(features)} "
                "environments differ"
            )
        if n_dropped:
            told.append(
                f"{n_dropped} of {len(chosen)} representatives were dropped, since kernel values in double precision "
                "do not tell them from combinations of the others"
            )
        return made, told

    def _summed_rows(self, z: int, pairs: Pairs, centers: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return sums over centers of kernel values (n_sparse,) and their derivatives (3 n_atoms), (6)."""
        r = self.representatives_[z]
        n_sparse = len(r.vectors)
        values, positions = np.zeros(n_sparse), np.zeros((3 * len(pairs.numbers), n_sparse))
        strain = np.zeros((6, n_sparse))
        scaled = self._columns(z)
        for batch in self._batches(pairs, centers):
            rows = self.descriptor_.center_rows(pairs, batch)
            features = rows.features * self._scale
            cosines, lengths = r.cosines(features)
            powers, slopes = r.powers(cosines)
            values += powers.sum(axis=0)
            slopes /= lengths[:, None]
            own = features * (self._scale / lengths[:, None])
            each = np.repeat(np.arange(len(batch)), 3 * np.diff(rows.slots))
            for derivatives, n_axes, slots, places, of_rows, target in (
                (rows.d_positions, 3, rows.slots, rows.atoms, each, positions),
                (rows.d_strain, 6, np.arange(len(batch) + 1), np.zeros(len(batch), np.int64), None, strain),
            ):
                of = np.repeat(np.arange(len(batch)), 6) if of_rows is None else of_rows
                along = np.einsum("rf,rf->r", derivatives, own[of])
                add_slopes(derivatives @ scaled, along, cosines, slopes, slots, places, n_axes, target)
        return values, positions, strain

    def _columns(self, z: int) -> FloatArray:
        """Return the scaled vectors of an element, (n_functions, n_sparse): to copy them takes as long as a dimer."""
        if z not in self._known_columns:
            self._known_columns[z] = np.ascontiguousarray((self.representatives_[z].vectors * self._scale).T)
        return self._known_columns[z]

    def _batches(self, pairs: Pairs, centers: IntArray) -> list[IntArray]:
        """Return the centers in batches of about `BATCH_ROWS` rows."""
        if not len(centers):
            return []
        rows = 3 * np.cumsum(1 + pairs.first[centers + 1] - pairs.first[centers])
        return np.split(centers, np.flatnonzero(np.diff(rows // BATCH_ROWS)) + 1)

    def _check_arguments(self) -> None:
        """Raise where an argument cannot be used."""
        is_number = isinstance(self.zeta, int | float | np.number) and not isinstance(self.zeta, bool)
        if not (is_number and 1.0 <= self.zeta < np.inf):
            raise SettingsError(f"zeta={self.zeta!r}; the exponent of the kernel must be 1 or more")
        least = {"n_sparse": 1, "n_candidates": 1, "random_state": 0}
        for name, value in ((name, getattr(self, name)) for name in least):
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least[name]:
                raise SettingsError(f"{name}={value!r}; it must be a whole number, {least[name]} or more")
        counts = self.per_group.values() if isinstance(self.per_group, Mapping) else [self.per_group]
        if self.per_group is not None and not all(isinstance(n, int | np.integer) and n >= 1 for n in counts):
            raise SettingsError(
                f'per_group={self.per_group!r}; it must be a dict of whole numbers, 1 or more, such as {{"liquid": 9}}'
            )
        if self.selection not in ("fps", "cur", "random"):
            raise SettingsError(f'selection={self.selection!r}; it must be "fps", "cur" or "random"')
        if self.descriptor is not None and not isinstance(self.descriptor, Descriptor):
            raise SettingsError(f"descriptor={self.descriptor!r} is none; give one such as SOAP(cutoff=5.0), or None")
