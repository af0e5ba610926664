r"""What the loops for pairs of committee members read: plans and constants in single precision.

Maps from raw to used radial functions have large entries that cancel (raw functions are nearly dependent), which single
precision does not stand. Pairs of members therefore use other functions :math:`q = T g` of the same span instead of the
raw functions g, made in double precision: those that the descriptor made orthonormal, so that few entries of the maps
:math:`C T^{-1}` are left.
"""

from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from linmlp.descriptors.ace.committee_records import Members
from linmlp.descriptors.ace.evaluator_records import Functions
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan import Layout, Plan, make_layout
from linmlp.descriptors.ace.plan_center import MIN_RAW
from linmlp.descriptors.ace.radial import orthonormal_map
from linmlp.descriptors.simd import LANES
from linmlp.units import FloatArray

N_POINTS = 400
"""Distances under which functions are made orthonormal where the maps of a descriptor do not serve."""

NEGLIGIBLE = 1e-9
"""Entries of maps below this part of the largest are left out: rounding, far below that of single precision."""


@dataclass(frozen=True)
class RadialBasis:
    """Radial functions that single precision stands.

    Parameters
    ----------
    matrices : ndarray of shape (n_elements, n_elements, n, n)
        T for each pair of elements, lower triangular, from raw functions; n is at least `MIN_RAW`.
    parameters : AceParameters
        The same functions of the neighbors, as maps from these radial functions.
    """

    matrices: FloatArray
    parameters: AceParameters

    @classmethod
    def of(cls, parameters: AceParameters) -> "RadialBasis":
        """Return the basis for some parameters, that of before if it is known."""
        if parameters not in _known:
            _known[parameters] = cls._make(parameters)
        return _known[parameters]

    @classmethod
    def _make(cls, parameters: AceParameters) -> "RadialBasis":
        pair_map, radial_map = parameters.pair_map.copy(), parameters.radial_map.copy()
        uniform = uniform_basis(parameters)
        n = len(uniform)
        size = max(n, MIN_RAW)  # the loops make as many functions; those that are not in the maps are zero
        matrices = np.zeros((*pair_map.shape[:2], size, size))
        for ze in np.ndindex(*pair_map.shape[:2]):
            maps = pair_map[ze], radial_map[ze]
            own = max((pair_map[ze], radial_map[ze][0]), key=len)
            tried = [map_from(matrix, *maps) for matrix in (uniform, own) if can_be_basis(matrix, len(uniform))]
            matrices[ze][:n, :n], pair_map[ze], radial_map[ze] = min(
                tried, key=lambda t: max(np.abs(t[1]).max(), np.abs(t[2]).max())
            )
        return cls(matrices, replace(parameters, pair_map=pair_map, radial_map=radial_map))


_known: WeakKeyDictionary[AceParameters, RadialBasis] = WeakKeyDictionary()


def uniform_basis(parameters: AceParameters) -> FloatArray:
    """Return the map to functions that are orthonormal under uniform distances."""
    n = max(parameters.pair_map.shape[-1], parameters.radial_map.shape[-1])
    points = parameters.cutoff * (np.arange(N_POINTS) + 0.5) / N_POINTS
    return orthonormal_map(points, np.full(N_POINTS, 1.0 / N_POINTS), n, parameters.cutoff)


def can_be_basis(matrix: FloatArray, n: int) -> bool:
    """Return whether a map is lower triangular and has an inverse."""
    return matrix.shape == (n, n) and not np.triu(matrix, 1).any() and bool(np.all(np.diagonal(matrix) != 0.0))


def map_from(basis: FloatArray, *maps: FloatArray) -> tuple[FloatArray, ...]:
    """Return a basis, and maps from raw functions as maps from the basis."""
    back = np.tril(np.linalg.inv(basis))
    mapped = [values @ back[: values.shape[-1], : values.shape[-1]] for values in maps]
    return basis, *(np.where(np.abs(new) > NEGLIGIBLE * np.abs(new).max(), new, 0.0) for new in mapped)


@dataclass(frozen=True)
class PairPlan:
    """Plan, constants and coefficients for two members at a time.

    Parameters
    ----------
    plan : Plan
        Numbers that members have in common are pairs of equal ones.
    functions : Functions
        The same of the constants.
    members : Members
        Coefficients of pairs of members.
    basis : ndarray of shape (n_elements, n_elements, n, n)
        From raw radial functions to those of the plan.
    """

    plan: Plan
    functions: Functions
    members: Members
    basis: FloatArray

    @classmethod
    def of(
        cls, parameters: AceParameters, active: NDArray[np.bool_], members: FloatArray, functions: Functions
    ) -> "PairPlan":
        """Return the plan for the coefficients of some members.

        Parameters
        ----------
        parameters : AceParameters
            Functions and radial functions.
        active : ndarray of shape (n_features,), bool
            False where a feature is left out.
        members : ndarray of shape (n_members, n_features)
            Coefficients, eV.
        functions : Functions
            Constants of single potentials.

        Returns
        -------
        PairPlan
            An odd member out is joined by zeros.
        """
        basis = RadialBasis.of(parameters)
        layout = make_layout(basis.parameters, active, LANES)
        pairs: Any = {name: twice(getattr(functions, name)) for name in ("norms", "weights")}
        return cls(
            _in_pairs(layout.plan), functions._replace(**pairs), _members_in_pairs(layout, members), basis.matrices
        )


def twice(numbers: FloatArray) -> Any:
    """Return pairs of equal numbers in single precision, as complex numbers."""
    return (numbers + 1j * numbers).astype(np.complex64)


def _in_pairs(plan: Plan) -> Plan:
    """Return the plan with pairs for all numbers that members have in common."""
    to_raw = plan.to_raw._replace(coefficient=twice(plan.to_raw.coefficient))
    coupled = plan.coupled._replace(coefficient=twice(plan.coupled.coefficient))
    full = plan.full._replace(sign=twice(plan.full.sign))
    mixing = plan.mixing._replace(weight=twice(plan.mixing.weight))
    return plan._replace(to_raw=to_raw, full=full, coupled=coupled, mixing=mixing)


def _members_in_pairs(layout: Layout, members: FloatArray) -> Members:
    """Return the coefficients of the loops for two members at a time."""
    even = np.zeros((len(members) + len(members) % 2, members.shape[1]))
    even[: len(members)] = members
    pairs: list[Any] = [(c[0::2] + 1j * c[1::2]).astype(np.complex64) for c in layout.coefficients(even)]
    return Members(len(even) // 2, *(coefficients.shape[1] for coefficients in pairs), *pairs)
