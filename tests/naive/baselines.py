"""Pair baselines from their formulas, one pair at a time."""

import numpy as np

from linmlp.units import VOIGT


def naive_zbl(r, z_i, z_j):
    """Universal screened repulsion of Ziegler, Biersack and Littmark, eV; r in Å."""
    a = 0.46850 / (z_i**0.23 + z_j**0.23)
    x = r / a
    phi = (
        0.18175 * np.exp(-3.19980 * x)
        + 0.50986 * np.exp(-0.94229 * x)
        + 0.28022 * np.exp(-0.40290 * x)
        + 0.02817 * np.exp(-0.20162 * x)
    )
    return 14.399645 * z_i * z_j / r * phi


def naive_switched_zbl(r, z_i, z_j, inner, outer):
    """ZBL plus S(r) of LAMMPS; derivatives at the outer radius by complex step and high-order difference."""
    if r >= outer:
        return 0.0
    h = 1e-3
    values = [naive_zbl(outer + k * h, z_i, z_j) for k in range(-3, 4)]
    f = values[3]
    first = np.imag(naive_zbl(outer + 1e-30j, z_i, z_j)) / 1e-30
    second = np.dot([2, -27, 270, -490, 270, -27, 2], values) / (180 * h * h)
    t_c = outer - inner
    a = (-3 * first + t_c * second) / t_c**2
    b = (2 * first - t_c * second) / t_c**3
    c = -f + t_c / 2 * first - t_c**2 / 12 * second
    t = max(r - inner, 0.0)
    return naive_zbl(r, z_i, z_j) + a / 3 * t**3 + b / 4 * t**4 + c


def naive_pair_sums(pairs, energy_of):
    """Energies (n,), forces (n, 3), strain gradients (n, 6) of energy_of(r, z_i, z_j), slopes by central difference."""
    n_atoms = len(pairs.numbers)
    energies, forces, gradients = np.zeros(n_atoms), np.zeros((n_atoms, 3)), np.zeros((n_atoms, 6))
    h = 1e-5
    for i, j, vector in zip(pairs.i, pairs.j, pairs.vectors, strict=True):
        r = np.linalg.norm(vector)
        z = pairs.numbers[i], pairs.numbers[j]
        slope = (energy_of(r + h, *z) - energy_of(r - h, *z)) / (2 * h)
        energies[i] += 0.5 * energy_of(r, *z)
        forces[i] += slope * vector / r
        gradients[i] += [0.5 * slope * vector[a] * vector[b] / r for a, b in VOIGT]
    return energies, forces, gradients
