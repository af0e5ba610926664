"""ACE as a descriptor: structures in, invariant features and their derivatives out."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors.ace.basis import degree, function_name, order_of
from linmlp.descriptors.ace.committee import AceCommittee
from linmlp.descriptors.ace.costs import FunctionCosts, compute_costs, count_neighbors
from linmlp.descriptors.ace.degrees import Degrees, check_order, resolve_degrees
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.judging_evaluator import AceJudgingEvaluator
from linmlp.descriptors.ace.learning import (
    all_pairs,
    atomic_numbers_of,
    learn_parameters,
    limit_parameters,
    nearest_neighbor_distance,
)
from linmlp.descriptors.ace.mixing import Channels, count_channels, resolve_channels
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.presets import default_degrees, find_preset
from linmlp.descriptors.ace.rows import AceRows
from linmlp.descriptors.ace.single_evaluator import AceSingleEvaluator
from linmlp.descriptors.ace.statistics import measure_distances
from linmlp.descriptors.ace.summing_evaluator import AceSummingEvaluator
from linmlp.descriptors.ace.tiers import resolve_order, tier_degrees
from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.center_rows import CenterRows
from linmlp.descriptors.evaluators import Evaluator, QuadraticForm, check_member_coefficients
from linmlp.exceptions import SettingsError
from linmlp.neighbors import Pairs
from linmlp.structures import check_structures
from linmlp.units import FloatArray, IntArray

CUTOFF_FACTORS = (1.9, 2.1, 2.4, 2.8)
"""Cutoffs that are tried for "auto", in units of the median nearest-neighbor distance."""

DEFAULT_CUTOFF_FACTOR = 2.4


class ACE(Descriptor):
    r"""Atomic cluster expansion: a complete set of invariant polynomials of the neighbor density.

    Parameters
    ----------
    cutoff : float or "auto", default="auto"
        Cutoff radius in Å. A potential chooses "auto" by cross-validation among `cutoff_candidates`; a descriptor
        fitted on its own takes 2.4 times the median nearest-neighbor distance.
    order : int or "auto", default="auto"
        Correlation order (body order - 1): 1 to 4. "auto" is one per number in `max_degree`, that of the preset which
        it names, and 3 otherwise.
    max_degree : int, sequence of int, "auto" or name of a preset, default="auto"
        Largest total degree, the sum of n + l over the factors of a function: one number per order, or one for all.
        The first is the size of the pair term (minus one). Where `order` is "auto" too, a potential chooses "auto" by
        cross-validation among `degree_candidates`, for one element up to (18, 15, 13, 8): 1604 functions, 290 of them
        of order 4. A descriptor fitted on its own takes (16, 14, 11) for one element (750 functions), (16, 14, 11, 8)
        with order 4 (1040), and lower ones for more elements. Names of presets, see `preset`, are other sizes that
        fall alike.
    max_l : int, default=6
        Largest angular momentum.
    channels : None, int or array-like of shape (n_channels, n_elements), default=None
        Densities of the neighbors that functions of order 2 and higher are made of. None is one for every element: the
        number of functions grows as elements**order. A number, at most that of elements, mixes the elements to so many
        densities, so that it grows as channels**order: a potential learns the mixture from its training structures
        (`linmlp.potentials.element_channels`), a descriptor fitted on its own, which sees no labels, takes
        `linmlp.descriptors.ace.mixing.fixed_channels`. A matrix gives the mixture, elements by atomic number; one for
        each central element has the shape (n_elements, n_channels, n_elements).

    Attributes
    ----------
    elements_ : tuple of str
        Symbols in the order of their atomic numbers.
    cutoff_ : float
        Cutoff radius in Å.
    max_degree_ : tuple of int
        Degrees per order.
    parameters_ : AceParameters
        Functions and radial functions.
    n_features_out_ : int
        Number of features.

    Notes
    -----
    The radial functions are linear combinations of functions that LAMMPS ML-PACE evaluates natively (see
    `linmlp.descriptors.ace.radial`), orthonormal under the distances seen in `fit`; the invariants are those of
    `linmlp.descriptors.ace.basis` [1]_. Every atom has the features of its own element; those of others are zero.

    With the densities :math:`A_{enlm} = \sum_j R_n(r_j) Y_{lm}(\hat r_j)` over neighbors of element e, functions of
    order 4 are coupled pairs of densities,

    .. math:: B = \sum_M Q_{12,LM} \bar Q_{34,LM}, \qquad
              Q_{ab,LM} = \sum_m \langle l_a m \, l_b \, M{-}m | L M \rangle A_{a,m} A_{b,M-m}.

    With `channels` the densities of orders 2 and higher are :math:`A_{cnlm} = \sum_e W_{ce} A_{enlm}`, whose radial
    functions are the same for all neighbors of a center; the pair term keeps its elements, and every center its own
    coefficients.

    Where factors are equal, functions of different L are linearly dependent; those that the coupling tensors show to be
    so are left out [2]_, so that the basis is complete and independent.

    References
    ----------
    .. [1] R. Drautz, Phys. Rev. B 99, 014104 (2019).
    .. [2] G. Dusson et al., J. Comput. Phys. 454, 110946 (2022).

    Examples
    --------
    >>> from ase.build import bulk
    >>> from linmlp import ACE
    >>> descriptor = ACE(cutoff=4.0, order=2, max_degree=4).fit([bulk("Cu", cubic=True)])
    >>> descriptor.transform([bulk("Cu")]).shape
    (1, 19)
    >>> descriptor.get_feature_names_out()[-1]
    'Cu|Cu.Cu n=0,0 l=2,2'
    """

    def __init__(
        self,
        cutoff: float | Literal["auto"] = "auto",
        order: int | Literal["auto"] = "auto",
        max_degree: Degrees = "auto",
        max_l: int = 6,
        channels: Channels = None,
    ) -> None:
        self.cutoff = cutoff
        self.order = order
        self.max_degree = max_degree
        self.max_l = max_l
        self.channels = channels

    @classmethod
    def preset(
        cls, name: str, cutoff: float | Literal["auto"] = "auto", max_l: int = 6, channels: Channels = None
    ) -> Self:
        """Return an unfitted ACE of a size by name: "fast", "balanced" or "accurate".

        Degrees fall with the number of elements, so that all functions of all elements are no more than

        ========  =====  ============  ============  ============  ============
        name      order  1 element     2 elements    3 elements    4 and more
        ========  =====  ============  ============  ============  ============
        fast      1-3    145           300           450           600
        balanced  1-3    750           1500          2250          3000
        accurate  1-4    1604          3000          4000          5000
        ========  =====  ============  ============  ============  ============

        while the pair term keeps its size. What they cost and how accurate they are depends on the data:
        `linmlp.evaluation.front.compute_front` measures both. For silicon of Zuo et al. (2020) an MD step takes 2.0,
        3.9 and 5.6 µs per atom on one core of an AMD EPYC (Zen 5), errors in cross-validation are 4.0, 2.4 and 2.1
        meV/atom and 0.125, 0.091 and 0.080 eV/Å, and a fit with all its choices takes 9, 20 and 31 CPU seconds. The
        memory of a fit grows with the square of the number: the search takes 2 GB for each thread with 5000 functions.

        Parameters
        ----------
        name : {"fast", "balanced", "accurate"}
            Size.
        cutoff : float or "auto", default="auto"
            Cutoff radius in Å, see the class.
        max_l : int, default=6
            Largest angular momentum.
        channels : None, int or array-like, default=None
            Mixture of elements, see the class.

        Returns
        -------
        ACE
            With the order of the preset, and its name as `max_degree`.

        Raises
        ------
        SettingsError
            If there is no such preset.

        Examples
        --------
        >>> from ase.build import bulk
        >>> from linmlp import ACE
        >>> [ACE.preset(name, 4.0).fit([bulk("Cu")]).n_features_out_ for name in ("fast", "balanced", "accurate")]
        [145, 750, 1604]
        """
        return cls(cutoff, find_preset(name).order, name, max_l, channels)  # type: ignore[arg-type]  # a name that is known

    def fit(self, structures: Sequence[Atoms], y: Any = None) -> Self:
        """Learn the elements, the cutoff if it is "auto", and the radial functions.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures.
        y : ignored
            For pipelines.

        Returns
        -------
        ACE
            Itself.

        Raises
        ------
        SettingsError
            If an argument is out of range, or no two atoms are within the cutoff.
        """
        structures = check_structures(structures)
        self._check_arguments()
        numbers = atomic_numbers_of(structures)
        mixing = resolve_channels(self.channels, numbers)
        cutoff = self._resolve_cutoff(structures, numbers)
        distances = measure_distances(all_pairs(structures, cutoff), numbers, cutoff)
        if distances.n_pairs == 0:
            raise SettingsError(
                f"no two atoms are within the cutoff of {cutoff:g} Å in any of the {len(structures)} structures; "
                "give a larger cutoff"
            )
        order, n_channels = int(resolve_order(self.order, self.max_degree)), count_channels(mixing)
        self.max_degree_ = resolve_degrees(self.max_degree, order, len(numbers), self.max_l, n_channels)
        self._set_parameters(learn_parameters(distances, numbers, cutoff, self.max_degree_, self.max_l, mixing))
        return self

    def cutoff_candidates(self, structures: Sequence[Atoms]) -> tuple[float, ...]:
        """Return the cutoffs in Å that "auto" stands for, ascending; a cutoff given as a number is the only one.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures.

        Returns
        -------
        tuple of float
            `CUTOFF_FACTORS` times the median nearest-neighbor distance.
        """
        if self.cutoff != "auto":
            return (float(self.cutoff),)
        nearest = nearest_neighbor_distance(structures, atomic_numbers_of(structures))
        return tuple(round(factor * nearest, 3) for factor in CUTOFF_FACTORS)

    def degree_candidates(self, structures: Sequence[Atoms]) -> tuple[tuple[int, ...], ...]:
        """Return the degrees per order that "auto" stands for, from few functions to many; given ones are the only one.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures.

        Returns
        -------
        tuple of tuple of int
            The functions of each are some of those of the next.
        """
        self._check_arguments()
        numbers = atomic_numbers_of(structures)
        n_elements, n_channels = len(numbers), count_channels(self.channels)
        if self.order == "auto" and self.max_degree == "auto":
            return tier_degrees(n_elements, self.max_l, n_channels)
        order = int(resolve_order(self.order, self.max_degree))
        return (resolve_degrees(self.max_degree, order, n_elements, self.max_l, n_channels),)

    def for_sample(self, structures: Sequence[Atoms]) -> Self:
        """Return an unfitted ACE with no function beyond those of the preset "balanced", which a sample can determine.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Training structures.

        Returns
        -------
        ACE
            With the other settings of this one.
        """
        numbers = atomic_numbers_of(structures)
        balanced = default_degrees(len(numbers), 3, self.max_l, n_channels=count_channels(self.channels))
        limited = tuple(map(min, self.degree_candidates(structures)[-1], balanced))
        smaller: Self = clone(self)
        smaller.set_params(order=len(limited), max_degree=limited)
        return smaller

    def up_to(self, max_degree: Sequence[int]) -> Self:
        """Return the fitted descriptor with the functions up to some degrees alone; settings stay as they are.

        Parameters
        ----------
        max_degree : sequence of int
            One degree per order, none larger than those of this one.

        Returns
        -------
        ACE
            As if fitted with these degrees: radial functions do not depend on how many there are.
        """
        check_is_fitted(self)
        smaller: Self = clone(self)
        smaller.max_degree_ = tuple(int(degree) for degree in max_degree)
        smaller._set_parameters(limit_parameters(self.parameters_, smaller.max_degree_, self.max_l))
        return smaller

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return names such as ``Si|Si.Si n=2,1 l=3,3``: center, elements of the factors, their n and l.

        Order 4 has the angular momentum of the pairs behind: ``Si|Si.Si.Si.Si n=0,1,0,2 l=1,1,2,2 L=0``. Where elements
        are mixed, factors are channels: ``In|c0.c1 n=2,1 l=3,3``.

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
        names = [
            f"{center}|{function_name(function, self.elements_)}"
            for center in self.elements_
            for function in self.parameters_.functions
        ]
        return np.array(names, dtype=object)

    def feature_degrees(self) -> np.ndarray[Any, Any]:
        """Return the (order, total degree) of every feature, shape (n_features, 2)."""
        check_is_fitted(self)
        table = [(order_of(f), degree(f)) for f in self.parameters_.functions]
        return np.tile(np.array(table), (len(self.elements_), 1))

    def function_costs(self, structures: Sequence[Atoms]) -> FunctionCosts:
        """Return what every function adds to a step of energies and forces, and what functions share.

        Parameters
        ----------
        structures : sequence of ase.Atoms
            Say how many neighbors atoms have, and how often each element is a center.

        Returns
        -------
        FunctionCosts
            Operations per atom; for `linmlp.solvers.FeatureCosts`.

        Examples
        --------
        >>> from ase.build import bulk
        >>> from linmlp import ACE
        >>> from linmlp.solvers import FeatureCosts, ForwardSelection
        >>> crystal = bulk("Cu", cubic=True)
        >>> costs = FeatureCosts(*ACE(4.0, order=2, max_degree=4).fit([crystal]).function_costs([crystal]))
        >>> solver = ForwardSelection(10, costs=costs)
        """
        check_is_fitted(self)
        structures = check_structures(structures)
        return compute_costs(self.parameters_, *count_neighbors(self.parameters_, structures))

    def compute_features(self, pairs: Pairs) -> FloatArray:
        """Return the features of every atom, (n_atoms, n_features)."""
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

    def pull_back(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces (n_atoms, 3) and strain gradients per atom (n_atoms, 6) from (n_atoms, n_features)."""
        return self._rows.pull_back(pairs, d_energy_d_features)

    def pull_back_own(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return those of several energies from (n_members, n_atoms, n_functions), in one pass over the neighbors."""
        return self._rows.pull_back_own(pairs, d_energy_d_features)

    def center_rows(self, pairs: Pairs, centers: IntArray) -> CenterRows:
        """Return features and derivatives of single centers of one element."""
        return self._rows.of_centers(pairs, centers)

    def evaluator(self, coefficients: FloatArray) -> AceEvaluator:
        """Return the fast evaluation of the energy that is linear in the features."""
        check_is_fitted(self)
        return AceEvaluator(self.parameters_, coefficients)

    def single_evaluator(self, coefficients: FloatArray) -> Evaluator:
        """Return the evaluation in single precision, which is faster.

        Parameters
        ----------
        coefficients : ndarray of shape (n_features,)
            Coefficients, eV.

        Returns
        -------
        Evaluator
            See `linmlp.descriptors.ace.single_evaluator` for what it is off by.
        """
        check_is_fitted(self)
        return AceSingleEvaluator(self.parameters_, coefficients)

    def committee(self, coefficients: FloatArray) -> AceCommittee:
        """Return the evaluation of several energies that are linear in the features, in one pass over the neighbors.

        Parameters
        ----------
        coefficients : ndarray of shape (n_members, n_features)
            Coefficients of each member, at least one, eV.

        Returns
        -------
        AceCommittee
            Ten members take about six times as long as one evaluation.

        Raises
        ------
        SettingsError
            If the coefficients have another shape.
        """
        check_is_fitted(self)
        return AceCommittee(self.parameters_, check_member_coefficients(coefficients, self.n_features_out_))

    def summing_evaluator(self, coefficients: FloatArray, features: IntArray | None = None) -> AceSummingEvaluator:
        """Return the evaluation of an energy that is linear in the features, with sums of features in the same pass.

        Parameters
        ----------
        coefficients : ndarray of shape (n_features,)
            Coefficients, eV.
        features : ndarray of int, shape (n_summed,), or None
            Features to sum over atoms, such as those that a selection kept; None for all.

        Returns
        -------
        AceSummingEvaluator
            The sums take about a fifth of an evaluation.
        """
        check_is_fitted(self)
        return AceSummingEvaluator(self.parameters_, coefficients, features)

    def judging_evaluator(
        self, coefficients: FloatArray, members: FloatArray, form: QuadraticForm, features: IntArray | None = None
    ) -> AceJudgingEvaluator:
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
        AceJudgingEvaluator
            With ten members and 750 functions it takes about six times as long as one evaluation.

        Raises
        ------
        SettingsError
            If the coefficients of the committee have another shape.
        """
        check_is_fitted(self)
        members = check_member_coefficients(members, self.n_features_out_)
        return AceJudgingEvaluator(self.parameters_, coefficients, members, form, features)

    def to_state(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """Return the fitted state as json-able settings and arrays."""
        check_is_fitted(self)
        p = self.parameters_
        arguments = {**self.get_params(), "max_degree": _as_json(self.max_degree)}
        channels = arguments.pop("channels")
        if channels is not None:
            arguments["channels"] = np.asarray(channels).tolist()
        settings = {
            "arguments": arguments,
            "max_degree": list(self.max_degree_),
            "numbers": list(p.numbers),
            "cutoff": p.cutoff,
            "scaling": p.scaling,
            "functions": [[list(channel) for channel in function] for function in p.functions],
        }
        arrays = {
            "radial_map": p.radial_map,
            "pair_map": p.pair_map,
            "inner": p.inner,
            "inner_width": p.inner_width,
        }
        return settings, arrays if p.mixing is None else {**arrays, "mixing": p.mixing}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, FloatArray]) -> Self:
        """Return the descriptor that `to_state` described."""
        degrees = settings["arguments"]["max_degree"]
        descriptor = cls(
            **{**settings["arguments"], "max_degree": tuple(degrees) if isinstance(degrees, list) else degrees}
        )
        descriptor.max_degree_ = tuple(settings["max_degree"])
        functions = tuple(tuple((e, n, l) for e, n, l in function) for function in settings["functions"])
        of_file: Any = arrays
        descriptor._set_parameters(
            AceParameters(tuple(settings["numbers"]), settings["cutoff"], settings["scaling"], functions, **of_file)
        )
        return descriptor

    def _set_parameters(self, parameters: AceParameters) -> None:
        self.parameters_ = parameters
        self.cutoff_ = parameters.cutoff
        self.elements_ = tuple(chemical_symbols[z] for z in parameters.numbers)
        self.n_features_out_ = parameters.n_features
        self._rows = AceRows(parameters)

    def _check_arguments(self) -> None:
        if not 0 <= self.max_l <= 12:
            raise SettingsError(f"max_l={self.max_l!r}; it must be between 0 and 12")
        check_order(resolve_order(self.order, self.max_degree), self.max_degree, self.max_l)
        if self.cutoff != "auto" and not (isinstance(self.cutoff, int | float) and 0 < self.cutoff < np.inf):
            raise SettingsError(f'cutoff={self.cutoff!r}; it must be "auto" or a positive number of Å')

    def _resolve_cutoff(self, structures: Sequence[Atoms], numbers: tuple[int, ...]) -> float:
        if self.cutoff != "auto":
            return float(self.cutoff)
        return round(DEFAULT_CUTOFF_FACTOR * nearest_neighbor_distance(structures, numbers), 3)


def _as_json(value: Any) -> Any:
    return value if isinstance(value, str | int) else [int(v) for v in value]
