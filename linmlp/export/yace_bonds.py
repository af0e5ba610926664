"""Radial functions of a `.yace` file as maps from raw functions that the loops evaluate."""

from dataclasses import dataclass

import numpy as np

from linmlp.descriptors.ace.forms import MAX_POWER, Forms, RadialForm
from linmlp.exceptions import ModelFileError
from linmlp.export.yace_file import Bond, YaceFile
from linmlp.export.yace_radial import bessel_coefficients, bessel_factor
from linmlp.units import FloatArray

MAX_SCALING = 12.0
"""Largest lambda of ChebExpCos: the power series of its exponential loses digits with exp(lambda)."""


@dataclass(frozen=True)
class Bonds:
    """Radial functions of all pairs; shapes as in `AceParameters`."""

    forms: Forms
    radial_map: FloatArray
    pair_map: FloatArray
    inner: FloatArray
    inner_width: FloatArray


def read_bonds(content: YaceFile, max_l: int) -> Bonds:
    """Return the radial functions of all pairs of elements.

    Parameters
    ----------
    content : YaceFile
        The file.
    max_l : int
        Largest angular momentum of its functions.

    Returns
    -------
    Bonds
        Maps from raw functions.

    Raises
    ------
    ModelFileError
        If something is not evaluated exactly.
    """
    n = len(content.elements)
    places = list(np.ndindex(n, n))
    kinds = {bond.inner_type for bond in content.bonds.values()}
    if len(kinds) > 1:
        raise ModelFileError(f"inner_cutoff_type differs between bonds ({', '.join(sorted(kinds))}); give all the same")
    converted = {place: _convert(content.bonds[place], _name(content, place)) for place in places}
    n_radial, n_base = (max(bond.coefficients.shape[axis] for bond in content.bonds.values()) for axis in (0, 2))
    n_raw = max(matrix.shape[1] for _, matrix in converted.values())
    radial_map, pair_map = np.zeros((n, n, max_l + 1, n_radial, n_raw)), np.zeros((n, n, n_base, n_raw))
    inner, inner_width = np.zeros((2, n, n))
    for place in places:
        bond, (_, matrix) = content.bonds[place], converted[place]
        mapped = bond.coefficients[:, : max_l + 1] @ matrix
        radial_map[place][: mapped.shape[1], : len(mapped), : mapped.shape[2]] = mapped.transpose(1, 0, 2)
        pair_map[place][: len(matrix), : matrix.shape[1]] = matrix
        if bond.inner_type == "distance":
            inner[place], inner_width[place] = bond.inner, bond.inner_width
    forms = tuple(tuple(converted[z, e][0] for e in range(n)) for z in range(n))
    return Bonds(forms, radial_map, pair_map, inner, inner_width)


def _name(content: YaceFile, place: tuple[int, int]) -> str:
    return "bond " + "-".join(content.elements[k] for k in place)


def _convert(bond: Bond, name: str) -> tuple[RadialForm, FloatArray]:
    """Return raw functions of a bond, and the matrix that makes g_k of them."""
    if bond.inner_type == "zbl":
        raise ModelFileError(
            f"{name}: inner_cutoff_type zbl switches the energy of an atom by the distance of its nearest neighbor, "
            "which is not a linear potential; wanted is distance or density"
        )
    if bond.inner_type == "distance" and bond.inner > 0.0 and bond.inner_width <= 0.0:
        raise ModelFileError(f"{name}: the energy jumps at rcut_in = {bond.inner:g} Å, since dcut_in is 0")
    n, common = bond.coefficients.shape[2], (bond.cutoff, bond.scaling)
    if bond.family == "ChebExpCos":
        if not 0.0 < bond.scaling <= MAX_SCALING:
            raise ModelFileError(f"{name}: lambda of ChebExpCos is {bond.scaling:g}; wanted is 0 to {MAX_SCALING:g}")
        return RadialForm("ChebExpCos", *common, bond.cutoff_width, True), np.eye(n)
    if bond.family == "ChebPow":
        if bond.scaling not in range(1, MAX_POWER + 1):
            raise ModelFileError(
                f"{name}: lambda of ChebPow is {bond.scaling:g}; wanted is an integer, 1 to {MAX_POWER}"
            )
        return RadialForm("ChebPow", *common, 0.0, False), np.eye(n)
    if bond.family == "SBessel":
        return RadialForm("SBessel", *common, 0.0, False), _bessel_matrix(n, bond.cutoff)
    raise ModelFileError(f"{name}: the energy jumps at the cutoff with radial functions {bond.family}")


def _bessel_matrix(n: int, cutoff: float) -> FloatArray:
    r"""Return the matrix from (1 - T_j(x)) / 2 sin(θ) / θ, x = -cos θ, to SBessel functions.

    With Chebyshev polynomials of the second kind, sin(aθ) / (aθ) = U_{a-1}(cos θ) / a sin(θ) / θ, and U_a is twice the
    sum of T_j, j = a, a - 2, ..., but for half of T_0. The constant terms of both sines add up to those of 1 - T_j,
    since the sum vanishes at θ = π.
    """
    sums = np.zeros((n, n))
    for k in range(n):
        for a in (k + 1, k + 2):
            for j in range(a - 1, 0, -2):
                sums[k, j - 1] += -2 * (-1) ** j * 2 / a * bessel_factor(k, cutoff)
    return bessel_coefficients(n) @ sums
