r"""What ML-PACE makes of a linear `.yace` file, in plain numpy: energies and forces, with or without its tables.

Written from the format alone; the writer shares no code with it. With :math:`A_{enlm}` the sum over neighbors of
element e of :math:`R_{nl}(r) Y_{lm}(\hat r)` (complex, Condon-Shortley phase, :math:`Y_{00} = 1`), an atom has the
energy

.. math:: E_0 + \sum_{\text{rank 1}} \tilde c \sum_j g_k(r_j) + \sum_{\text{others}} \sum_m \tilde c_m
   \operatorname{Re} \prod_t A_{e_t n_t l_t m_t} + \sum_j \text{core}(r_j).

ML-PACE reads g_k, R_nl and core from tables: cubic Hermite interpolation between nodes with exact values and slopes.
The same numbers are made here from the two nodes beside a distance.
"""

from dataclasses import dataclass
from math import factorial

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.polynomial import legendre, polynomial
from numpy.typing import NDArray

from linmlp.exceptions import InputError, ModelFileError
from linmlp.export.yace_file import Bond, YaceFile
from linmlp.export.yace_radial import bond_functions
from linmlp.units import FloatArray, IntArray

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class YaceResult:
    """Energies (n_atoms,) in eV, forces (n_atoms, 3) in eV/Å, strain gradient (3, 3) in eV: volume times stress."""

    energies: FloatArray
    forces: FloatArray
    strain_gradient: FloatArray


class YaceEvaluator:
    """Energies and forces of a linear `.yace` file.

    Parameters
    ----------
    content : YaceFile
        The file.
    tables : bool, default=True
        Whether radial functions are interpolated, as ML-PACE does; otherwise they are exact.

    Raises
    ------
    ModelFileError
        If the core is of type zbl, for which an energy depends on the nearest neighbor.
    """

    def __init__(self, content: YaceFile, tables: bool = True) -> None:
        if any(bond.inner_type == "zbl" for bond in content.bonds.values()):
            raise ModelFileError("inner_cutoff_type zbl is not evaluated: it switches by the nearest neighbor")
        self.content, self.tables = content, tables
        self.cutoff = max(bond.cutoff for bond in content.bonds.values())
        self.n_radial = max(bond.coefficients.shape[0] for bond in content.bonds.values())
        self.max_l = max(bond.coefficients.shape[1] for bond in content.bonds.values()) - 1
        self.n_base = max(bond.coefficients.shape[2] for bond in content.bonds.values())
        self._angular = _Harmonics(self.max_l)
        self._terms = [self._list_terms(z) for z in range(len(content.elements))]

    def __call__(self, atoms: Atoms) -> YaceResult:
        """Return energies, forces and strain gradient of a structure."""
        symbols, known = atoms.get_chemical_symbols(), self.content.elements
        if not set(symbols) <= set(known):
            raise InputError(f"the file knows {', '.join(known)}, not {', '.join(sorted(set(symbols) - set(known)))}")
        kinds = np.array([known.index(symbol) for symbol in symbols])
        i, j, vectors = neighbor_list("ijD", atoms, self.cutoff)
        energies = self.content.e0[kinds]
        forces, gradient = np.zeros((len(atoms), 3)), np.zeros((3, 3))
        for center, kind in enumerate(kinds):
            mine = i == center
            energy, slopes = self._center(int(kind), vectors[mine], kinds[j[mine]])
            energies[center] += energy
            forces[center] += slopes.sum(axis=0)
            np.subtract.at(forces, j[mine], slopes)
            gradient += vectors[mine].T @ slopes
        return YaceResult(energies, forces, gradient)

    def _list_terms(self, center: int) -> dict[int, tuple[IntArray, FloatArray]]:
        """Return places in A (n_terms, rank) and coefficients (n_terms,) by rank; rank 1 has places in sums of g_k."""
        lists: dict[int, list[tuple[IntArray, FloatArray]]] = {}
        for f in self.content.functions[center]:
            e, n, l = (np.array(numbers) for numbers in (f.elements, f.ns, f.ls))
            places = e * self.n_base + n if len(e) == 1 else self._place(e, n, l, f.ms)
            lists.setdefault(len(e), []).append((places.reshape(-1, len(e)), f.coefficients))
        return {
            rank: (np.concatenate([p for p, _ in parts]), np.concatenate([c for _, c in parts]))
            for rank, parts in lists.items()
        }

    def _place(self, e: IntArray, n: IntArray, l: IntArray, m: IntArray) -> IntArray:
        return np.asarray((e * self.n_radial + n) * (self.max_l + 1) ** 2 + l * (l + 1) + m)

    def _center(self, kind: int, vectors: FloatArray, elements: IntArray) -> tuple[float, FloatArray]:
        """Return the energy of an atom without E0, and its derivatives with respect to the vectors (n, 3)."""
        if not len(vectors):
            return 0.0, np.zeros((0, 3))
        r = np.sqrt((vectors**2).sum(axis=1))
        unit = vectors / r[:, None]
        g, dg, radial, d_radial, core, d_core = self._radial(kind, r, elements)
        Y, dY = self._angular(unit)
        shape = (len(self.content.elements), self.n_radial, (self.max_l + 1) ** 2)
        l_of = np.repeat(np.arange(self.max_l + 1), 2 * np.arange(self.max_l + 1) + 1)
        A, sums = np.zeros(shape, complex), np.zeros((shape[0], self.n_base))
        for e in range(shape[0]):
            near = elements == e
            A[e] = np.einsum("pna,pa->na", radial[near][:, :, l_of], Y[near])
            sums[e] = g[near].sum(axis=0)
        energy, d_sums, d_A = self._energy(kind, A.ravel(), sums.ravel())
        d_sums, d_A = d_sums.reshape(sums.shape)[elements], d_A.reshape(shape)[elements]
        along = d_core + (d_sums * dg).sum(axis=1) + np.einsum("pna,pna,pa->p", d_A, d_radial[:, :, l_of], Y).real
        across = np.einsum("pna,pna,pax->px", d_A, radial[:, :, l_of], dY).real
        return energy + float(core.sum()), along[:, None] * unit + across / r[:, None]

    def _energy(self, kind: int, A: ComplexArray, sums: FloatArray) -> tuple[float, FloatArray, ComplexArray]:
        """Return the energy, and what Re(derivative dA) is its differential with, for sums of g_k and for A."""
        energy = 0.0
        d_sums, d_A = np.zeros_like(sums), np.zeros_like(A)
        for rank, (places, coefficients) in self._terms[kind].items():
            if rank == 1:
                np.add.at(d_sums, places[:, 0], coefficients)
                energy += float(coefficients @ sums[places[:, 0]])
                continue
            factors = A[places]
            energy += float(coefficients @ factors.prod(axis=1).real)
            for t in range(rank):
                np.add.at(d_A, places[:, t], coefficients * np.delete(factors, t, axis=1).prod(axis=1))
        return energy, d_sums, d_A

    def _radial(self, kind: int, r: FloatArray, elements: IntArray) -> tuple[FloatArray, ...]:
        """Return g (n, k), R (n, n, l) and core (n,), each followed by its derivative."""
        g, dg = np.zeros((2, len(r), self.n_base))
        radial, d_radial = np.zeros((2, len(r), self.n_radial, self.max_l + 1))
        core, d_core = np.zeros((2, len(r)))
        for e in range(len(self.content.elements)):
            bond, near = self.content.bonds[kind, e], np.flatnonzero(elements == e)
            values, slopes = self._interpolate(bond, r[near]) if self.tables else bond_functions(bond, r[near])
            n_radial, n_l, n_base = bond.coefficients.shape
            for target, source in ((g, values), (dg, slopes)):
                target[near, :n_base] = source[:, :-1]
            for target, source in ((radial, values), (d_radial, slopes)):
                target[near, :n_radial, :n_l] = np.einsum("nlk,pk->pnl", bond.coefficients, source[:, :-1])
            core[near], d_core[near] = values[:, -1], slopes[:, -1]
        return g, dg, radial, d_radial, core, d_core

    def _interpolate(self, bond: Bond, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return values and slopes of the cubics between nodes."""
        n_bins = int(bond.cutoff / self.content.spline_bin)
        width = bond.cutoff / n_bins
        bins = np.floor(r / width).astype(int)
        if len(bins) and bins.min() < 1:
            raise InputError(f"two atoms are {r.min():.2g} Å apart, less than the first bin of the tables")
        t = (r / width - bins)[:, None]
        (f0, d0), (f1, d1) = bond_functions(bond, bins * width), bond_functions(bond, (bins + 1) * width)
        d0, d1 = width * d0, width * d1
        c2, c3 = 3 * (f1 - f0) - d1 - 2 * d0, -2 * (f1 - f0) + d1 + d0
        inside = (bins < n_bins)[:, None]
        return inside * (f0 + t * (d0 + t * (c2 + t * c3))), inside * (d0 + t * (2 * c2 + 3 * t * c3)) / width


class _Harmonics:
    """Complex spherical harmonics with Y_00 = 1 from derivatives of Legendre polynomials; column l (l + 1) + m."""

    def __init__(self, max_l: int) -> None:
        self.max_l = max_l
        self.series = {
            (l, m): np.sqrt((2 * l + 1) * factorial(l - m) / factorial(l + m)) * (-1) ** m * _legendre(l, m)
            for l in range(max_l + 1)
            for m in range(l + 1)
        }

    def __call__(self, unit: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return Y (n, (max_l + 1)²) and r times its gradient (n, (max_l + 1)², 3) for unit vectors (n, 3)."""
        x, y, z = unit.T
        Y = np.empty((len(unit), (self.max_l + 1) ** 2), complex)
        dY = np.empty((*Y.shape, 3), complex)
        for (l, m), series in self.series.items():
            q, phase = polynomial.polyval(z, series), (x + 1j * y) ** m
            d_phase = m * (x + 1j * y) ** (m - 1) if m > 0 else np.zeros(len(z))
            full = np.stack([q * d_phase, 1j * q * d_phase, polynomial.polyval(z, polynomial.polyder(series)) * phase])
            tangential = full.T - np.einsum("xp,px->p", full, unit)[:, None] * unit
            for sign, place in ((1, l * (l + 1) + m), ((-1) ** m, l * (l + 1) - m)):
                conjugate = place < l * (l + 1)
                Y[:, place] = sign * (np.conj(q * phase) if conjugate else q * phase)
                dY[:, place] = sign * (np.conj(tangential) if conjugate else tangential)
        return Y, dY


def _legendre(l: int, m: int) -> FloatArray:
    """Return the power series of the m-th derivative of the Legendre polynomial of degree l."""
    return np.asarray(polynomial.polyder(legendre.leg2poly([0.0] * l + [1.0]), m))
