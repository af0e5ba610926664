"""SOAP from its formulas, with numerical integrals over the smeared density: the specification of the loops."""

import numpy as np
from scipy.integrate import quad
from scipy.linalg import inv, sqrtm
from scipy.special import sph_harm_y, spherical_in

from linmlp.neighbors import find_pairs


def basis_functions(basis, n_max, l, cutoff):
    """Orthonormal radial functions, callables of r, by numerical overlaps."""
    if basis == "gto":
        radii = np.linspace(1.0, cutoff, n_max)
        alphas = [-np.log(1e-3 / a**l) / a**2 for a in radii]
        raw = [lambda r, a=a: r**l * np.exp(-a * r**2) for a in alphas]
        end = 40.0
    else:
        raw = [lambda r, k=k: (cutoff - r) ** (k + 2) for k in range(1, n_max + 1)]
        end = cutoff
    overlap = [[quad(lambda r, f=f, g=g: r**2 * f(r) * g(r), 0, end, epsabs=1e-13)[0] for f in raw] for g in raw]
    mixed = np.real(sqrtm(inv(np.array(overlap))))
    return [lambda r, row=row: sum(c * f(r) for c, f in zip(row, raw, strict=True)) for row in mixed], end


def overlap_with_gaussian(function, end, l, distance, sigma):
    """4 pi times the integral of r² g(r) exp(-(r² + d²) / 2 sigma²) i_l(r d / sigma²)."""

    def integrand(r):
        x = r * distance / sigma**2
        return r**2 * function(r) * np.exp(-0.5 * (r - distance) ** 2 / sigma**2) * spherical_in(l, x) * np.exp(-x)

    near = max(0.0, distance - 8 * sigma), min(end, distance + 8 * sigma)
    return 4 * np.pi * quad(integrand, *near, epsabs=1e-12, epsrel=1e-11, limit=200)[0]


def power_spectrum(atoms, reach, radial, n_max, l_max, weight=lambda d: 1.0):
    """Power spectra (n_atoms, n) by pair of elements, l, n, n'; radial(n, l, d) gives the overlaps."""
    numbers = sorted(set(atoms.numbers))
    pairs = find_pairs(atoms, reach)
    spectra = []
    for i in range(len(atoms)):
        mine = slice(pairs.first[i], pairs.first[i + 1])
        vectors = [np.zeros(3), *pairs.vectors[mine]]
        kinds = [atoms.numbers[i], *atoms.numbers[pairs.j[mine]]]
        c = np.zeros((len(numbers), n_max, l_max + 1, 2 * l_max + 1), complex)
        for vector, kind in zip(vectors, kinds, strict=True):
            d = np.linalg.norm(vector)
            theta, phi = (np.arccos(vector[2] / d) if d else 0.0), np.arctan2(vector[1], vector[0])
            for n in range(n_max):
                for l in range(l_max + 1):
                    overlap = weight(d) * radial(n, l, d)
                    for m in range(-l, l + 1):
                        c[numbers.index(kind), n, l, m + l] += overlap * sph_harm_y(l, m, theta, phi)
        spectra.append(
            [
                np.pi * np.sqrt(8 / (2 * l + 1)) * np.sum(c[a, n, l] * np.conj(c[b, k, l])).real
                for a in range(len(numbers))
                for b in range(a, len(numbers))
                for l in range(l_max + 1)
                for n in range(n_max)
                for k in range(n if a == b else 0, n_max)
            ]
        )
    return np.array(spectra)
