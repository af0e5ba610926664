"""Compiled loops of the pair baselines.

Each center gathers over its own pairs of a full list, in which every pair stands twice. So the energy and the strain
gradient take half of each, the force takes all of it, and no two centers write to the same place.
"""

import numpy as np
from numba import njit

from linmlp.units import FloatArray, IntArray


@njit(cache=True, nogil=True)
def zbl_loop(
    positions: FloatArray,
    places: IntArray,
    first: IntArray,
    neighbors: IntArray,
    shift: FloatArray,
    n_elements: int,
    table: FloatArray,
    energies: FloatArray,
    forces: FloatArray,
    gradients: FloatArray,
) -> None:
    """Write energies (n,), forces (n, 3) and strain gradients (n, 6) of switched ZBL repulsion.

    positions (n, 3); places (n,) element of each atom; first (n + 1,); neighbors (n_pairs,); shift (n_pairs, 3);
    table (n_elements**2, 12): outer squared, inner, prefactor, four inverse lengths, switching A, B, A/3, B/4, C.
    """
    farthest = table[:, 0].max()  # one number settles most pairs before their elements are looked up
    for i in range(len(places)):
        energy = fx = fy = fz = 0.0
        xx = yy = zz = yz = xz = xy = 0.0
        xi, yi, zi = positions[i, 0], positions[i, 1], positions[i, 2]
        for pair in range(first[i], first[i + 1]):
            j = neighbors[pair]
            x = positions[j, 0] - xi + shift[pair, 0]
            y = positions[j, 1] - yi + shift[pair, 1]
            z = positions[j, 2] - zi + shift[pair, 2]
            squared = x * x + y * y + z * z
            if squared >= farthest:
                continue
            kind = places[i] * n_elements + places[j]
            if squared >= table[kind, 0]:
                continue
            r = np.sqrt(squared)
            e1 = 0.02817 * np.exp(-table[kind, 3] * r)
            e2 = 0.28022 * np.exp(-table[kind, 4] * r)
            e3 = 0.50986 * np.exp(-table[kind, 5] * r)
            e4 = 0.18175 * np.exp(-table[kind, 6] * r)
            screening = e1 + e2 + e3 + e4
            decay = table[kind, 3] * e1 + table[kind, 4] * e2 + table[kind, 5] * e3 + table[kind, 6] * e4
            value = table[kind, 2] * screening / r + table[kind, 11]
            slope = -table[kind, 2] * (decay + screening / r) / r
            t = r - table[kind, 1]
            if t > 0.0:
                value += t * t * t * (table[kind, 9] + table[kind, 10] * t)
                slope += t * t * (table[kind, 7] + table[kind, 8] * t)
            energy += 0.5 * value
            over_r = slope / r
            fx += over_r * x
            fy += over_r * y
            fz += over_r * z
            half = 0.5 * over_r
            xx += half * x * x
            yy += half * y * y
            zz += half * z * z
            yz += half * y * z
            xz += half * x * z
            xy += half * x * y
        energies[i] = energy
        forces[i, 0], forces[i, 1], forces[i, 2] = fx, fy, fz
        gradients[i, 0], gradients[i, 1], gradients[i, 2] = xx, yy, zz
        gradients[i, 3], gradients[i, 4], gradients[i, 5] = yz, xz, xy


@njit(cache=True, nogil=True)
def pair_table_loop(
    positions: FloatArray,
    places: IntArray,
    first: IntArray,
    neighbors: IntArray,
    shift: FloatArray,
    n_elements: int,
    start: float,
    spacing: float,
    coefficients: FloatArray,
    energies: FloatArray,
    forces: FloatArray,
    gradients: FloatArray,
) -> None:
    """Write energies (n,), forces (n, 3) and strain gradients (n, 6) of tabulated pair energies.

    coefficients (n_elements**2, n_intervals, 4): cubic of each interval, highest power first. Below `start` the
    tangent at `start` continues the table.
    """
    n_intervals = coefficients.shape[1]
    end = start + n_intervals * spacing
    for i in range(len(places)):
        energies[i] = 0.0
        forces[i] = 0.0
        gradients[i] = 0.0
        for pair in range(first[i], first[i + 1]):
            j = neighbors[pair]
            x = positions[j, 0] - positions[i, 0] + shift[pair, 0]
            y = positions[j, 1] - positions[i, 1] + shift[pair, 1]
            z = positions[j, 2] - positions[i, 2] + shift[pair, 2]
            squared = x * x + y * y + z * z
            if squared >= end * end:
                continue
            r = np.sqrt(squared)
            kind = places[i] * n_elements + places[j]
            interval = min(max(int((r - start) / spacing), 0), n_intervals - 1)
            t = r - start - interval * spacing
            cubic = coefficients[kind, interval]
            if t < 0.0:
                value = cubic[3] + cubic[2] * t
                slope = cubic[2]
            else:
                value = cubic[3] + t * (cubic[2] + t * (cubic[1] + t * cubic[0]))
                slope = cubic[2] + t * (2.0 * cubic[1] + t * 3.0 * cubic[0])
            energies[i] += 0.5 * value
            over_r = slope / r
            forces[i, 0] += over_r * x
            forces[i, 1] += over_r * y
            forces[i, 2] += over_r * z
            gradients[i, 0] += 0.5 * over_r * x * x
            gradients[i, 1] += 0.5 * over_r * y * y
            gradients[i, 2] += 0.5 * over_r * z * z
            gradients[i, 3] += 0.5 * over_r * y * z
            gradients[i, 4] += 0.5 * over_r * x * z
            gradients[i, 5] += 0.5 * over_r * x * y
