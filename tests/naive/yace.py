"""Energies of a `.yace` file (linear, `ChebExpCos`) from the description of the format; no tables, no cleverness.

With `dtype=np.longdouble` it is an arbiter of the last digits.
"""

from math import factorial

import numpy as np
import yaml
from ase.neighborlist import neighbor_list
from numpy.polynomial import legendre, polynomial


class _Loader(yaml.SafeLoader):
    """Keys may be lists of integers."""

    def construct_mapping(self, node, deep=False):
        pairs = [(self.construct_object(k, deep=True), self.construct_object(v, deep=True)) for k, v in node.value]
        return {tuple(key) if isinstance(key, list) else key: value for key, value in pairs}


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _Loader.construct_mapping)


def read(text):
    """The file as dicts and lists; what this evaluator leaves out is refused."""
    content = yaml.load(text, _Loader)
    assert set(content) == {"elements", "E0", "deltaSplineBins", "embeddings", "bonds", "functions"}
    for embedding in content["embeddings"].values():
        assert embedding["ndensity"] == 1
        assert embedding["FS_parameters"] == [1.0, 1.0]
        assert embedding["npoti"] == "FinnisSinclairShiftedScaled"
    for bond in content["bonds"].values():
        assert bond["radbasename"] == "ChebExpCos"
        assert bond["inner_cutoff_type"] == "distance"
        assert bond["prehc"] == 0
        assert np.shape(bond["radcoefficients"]) == (bond["nradmax"], bond["lmax"] + 1, bond["nradbasemax"])
    return content


def atomic_energies(content, atoms, dtype=np.float64, positions=None):
    """Energy of every atom, (n_atoms,); `positions` in place of those of `atoms`, for differences in longdouble."""
    positions = (atoms.positions if positions is None else positions).astype(dtype)
    kinds = [content["elements"].index(symbol) for symbol in atoms.symbols]
    furthest = max(bond["rcut"] for bond in content["bonds"].values())
    i, j, shift = neighbor_list("ijS", atoms, furthest + 0.1)
    vectors = positions[j] - positions[i] + shift.astype(dtype) @ atoms.cell.array.astype(dtype)
    energies = np.array(content["E0"], dtype)[kinds]
    for center, kind in enumerate(kinds):
        mine = i == center
        energies[center] += _center_energy(content, kind, vectors[mine], np.array(kinds)[j[mine]])
    return energies


def _center_energy(content, kind, vectors, elements):
    dtype = vectors.dtype
    primitive, base, max_l = {}, {}, 0
    for e in range(len(content["elements"])):
        bond, near = content["bonds"][kind, e], vectors[elements == e]
        distances = np.sqrt((near**2).sum(1))
        near, distances = near[distances < bond["rcut"]], distances[distances < bond["rcut"]]
        g = radial_functions(bond, distances)
        radial = np.einsum("nlk,pk->pnl", np.array(bond["radcoefficients"], dtype), g)
        max_l = bond["lmax"]
        primitive[e] = g.sum(0)
        for l in range(max_l + 1):
            for m in range(-l, l + 1):
                base[e, l, m] = spherical_harmonic(l, m, near / distances[:, None]) @ radial[:, :, l]
    total = dtype.type(0)
    for f in content["functions"][kind]:
        ms, ctildes = np.reshape(f["ms_combs"], (f["num_ms_combs"], f["rank"])), np.array(f["ctildes"], dtype)
        if f["rank"] == 1:
            total += ctildes[0] * primitive[f["mus"][0]][f["ns"][0] - 1]
            continue
        for m, ctilde in zip(ms, ctildes, strict=True):
            factors = [base[e, l, mt][n - 1] for e, l, mt, n in zip(f["mus"], f["ls"], m, f["ns"], strict=True)]
            total += ctilde * np.prod(factors).real
    return total


def radial_functions(bond, distances):
    """g_k of one bond, (n, nradbasemax)."""
    one, pi = distances.dtype.type(1), 4 * np.arctan(distances.dtype.type(1))
    rcut, lam = one * bond["rcut"], one * bond["radparameters"][0]
    x = 1 - 2 * (np.exp(-lam * distances / rcut) - np.exp(-lam)) / (1 - np.exp(-lam))
    chebyshev = [np.ones_like(x), x]
    while len(chebyshev) < bond["nradbasemax"]:
        chebyshev.append(2 * x * chebyshev[-1] - chebyshev[-2])
    g = np.array([chebyshev[0], *((1 - t) / 2 for t in chebyshev[1:])])[: bond["nradbasemax"]].T
    g = g * ((1 + np.cos(pi * distances / rcut)) / 2)[:, None]
    if bond["dcut"] > 0:
        last = np.clip((distances - rcut + bond["dcut"]) / bond["dcut"], 0, 1)
        g = g * ((1 + np.cos(pi * last)) / 2)[:, None]
    if bond.get("dcut_in", 0) > 0:
        t = np.clip(1 + (distances - one * bond["rcut_in"]) / (one * bond["dcut_in"]), 0, 1)
        g = g * (10 * t**3 - 15 * t**4 + 6 * t**5)[:, None]
    return g


def spherical_harmonic(l, m, unit):
    """Complex Y_lm with Condon-Shortley phase and Y_00 = 1, from the m-th derivative of the Legendre polynomial."""
    if m < 0:
        return (-1) ** m * np.conj(spherical_harmonic(l, -m, unit))
    x, y, z = unit.T
    series = polynomial.polyder(legendre.leg2poly([0] * l + [1]), m)
    norm = np.sqrt(unit.dtype.type(2 * l + 1) * factorial(l - m) / factorial(l + m))
    return (-1) ** m * norm * polynomial.polyval(z, series.astype(unit.dtype)) * (x + 1j * y) ** m
