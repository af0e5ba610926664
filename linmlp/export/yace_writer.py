"""A linear ACE potential as the text of a `.yace` file, which LAMMPS reads with `pair_style pace`.

What ML-PACE makes of the file: with A_{mu n l m} = sum over neighbors of element mu of R_nl(r) Y_lm, Y_00 = 1,

    E_i = E0 + sum over functions, over m-tuples, of  ctilde Re prod_t A_{mus_t ns_t ls_t ms_t},

where R_nl = sum_k radcoefficients[n][l][k] g_k, n and k counted from 1 in `ns`. A function of rank 1 reads g_k itself.
The g_k are those of `linmlp.descriptors.ace.radial` with the inner switch as `rcut_in` and `dcut_in`, so that nothing
is approximated but by the tables that ML-PACE makes of them. The cosine over the last `dcut` is left out by dcut = 0;
`prehc` = 0 leaves the core to other pair styles, and with it the core density is zero, so that its cutoff never acts.

The format knows no mixed densities: a function of channels of elements is written as the sum over the elements of its
factors, so that the file has as many functions as one without channels would have.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from ase.data import chemical_symbols

from linmlp.descriptors.ace.basis import MIXED, Channel, factors
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.radial import FIRST
from linmlp.export.couplings import Terms, add_terms, fold, terms_of
from linmlp.export.yace_text import flow, flow_mapping, number
from linmlp.units import FloatArray

EMBEDDING = {
    "ndensity": 1,
    "FS_parameters": [1.0, 1.0],
    "npoti": "FinnisSinclairShiftedScaled",  # with exponent 1 the density itself
    "rho_core_cutoff": 100000.0,
    "drho_core_cutoff": 250.0,
}

Product = tuple[tuple[Channel, ...], Terms]


def yace_text(parameters: AceParameters, coefficients: FloatArray, e0: Sequence[float], spline_bin: float) -> str:
    """Return the text of the file.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_features,)
        Energy of an atom = its features @ coefficients, eV.
    e0 : sequence of float
        Energy of a separate atom of each element, eV.
    spline_bin : float
        Width of the bins of the radial tables, Å.

    Returns
    -------
    str
        YAML.
    """
    n_elements = len(parameters.numbers)
    blocks = np.reshape(coefficients, (n_elements, -1))
    radial = _UsedRadial.of(parameters, blocks)
    products = [list(_products(parameters, z, block)) for z, block in enumerate(blocks)]
    lines = [
        "elements: " + flow([chemical_symbols[z] for z in parameters.numbers]),
        "E0: " + flow(list(e0)),
        f"deltaSplineBins: {number(float(spline_bin))}",
        "embeddings:",
        *(f"  {z}: {flow_mapping(EMBEDDING)}" for z in range(n_elements)),
        "bonds:",
        *(f"  [{z}, {e}]: {radial.bond(z, e)}" for z in range(n_elements) for e in range(n_elements)),
        "functions:",
    ]
    # The evaluator has memory for as many functions of every element as the last element has.
    n_products = max(map(len, products))
    for z, of_center in enumerate(products):
        lines.append(f"  {z}:")
        lines += [f"    - {text}" for text in radial.pair_functions(z)]
        padded = [*of_center, *[_nothing()] * (n_products - len(of_center))]
        lines += [f"    - {_function(z, channels, terms)}" for channels, terms in padded]
    return "\n".join(lines) + "\n"


class _UsedRadial:
    """The part of the radial functions that functions with a coefficient read.

    `pair` of shape (n_elements, n_elements, n_base) holds the factor of each g_k in the pair term.
    """

    def __init__(self, parameters: AceParameters, n_radial: int, max_l: int, n_base: int, pair: FloatArray) -> None:
        self.parameters, self.pair = parameters, pair
        self.n_radial, self.max_l, self.n_base = n_radial, max_l, n_base

    @classmethod
    def of(cls, parameters: AceParameters, blocks: FloatArray) -> "_UsedRadial":
        """Return what is used; zeros stand for g_k below FIRST."""
        used = [f for f, column in zip(parameters.functions, blocks.T, strict=True) if np.any(column)]
        channels = [channel for function in used if len(function) > 1 for channel in factors(function)]
        n_radial = 1 + max((n for _, n, _ in channels), default=0)
        max_l = max((l for _, _, l in channels), default=0)
        shape = parameters.pair_map.shape
        pair = np.zeros((*shape[:2], FIRST + max(shape[-1], parameters.radial_map.shape[-1])))
        for block, on_raw, maps in zip(blocks, pair, parameters.pair_map, strict=True):
            for function, coefficient in zip(parameters.functions, block, strict=True):
                if len(function) == 1:
                    ((e, n, _),) = function
                    on_raw[e, FIRST : FIRST + shape[-1]] += coefficient * maps[e, n]
        mapped = parameters.radial_map[:, :, : max_l + 1, :n_radial]
        reached = [np.flatnonzero(np.any(pair, axis=(0, 1))), FIRST + np.flatnonzero(np.any(mapped, axis=(0, 1, 2, 3)))]
        n_base = 1 + max((int(k[-1]) for k in reached if len(k)), default=0)
        return cls(parameters, n_radial, max_l, n_base, pair[..., :n_base])

    def bond(self, center: int, neighbor: int) -> str:
        """Return the radial functions around `center` for neighbors of element `neighbor`."""
        p = self.parameters
        mapped = p.radial_map[center, neighbor, : self.max_l + 1, : self.n_radial, : self.n_base - FIRST]
        coefficients = np.zeros((self.n_radial, self.max_l + 1, self.n_base))
        coefficients[:, :, FIRST : FIRST + mapped.shape[-1]] = mapped.transpose(1, 0, 2)
        width = float(p.inner_width[center, neighbor])
        return flow_mapping(
            {
                "radbasename": "ChebExpCos",
                "nradmax": self.n_radial,
                "lmax": self.max_l,
                "nradbasemax": self.n_base,
                "radparameters": [float(p.scaling)],
                "radcoefficients": coefficients,
                "prehc": 0.0,
                "lambdahc": 1.0,
                "rcut": float(p.cutoff),
                "dcut": 0.0,
                "rcut_in": float(p.inner[center, neighbor]) if width > 0 else 0.0,
                "dcut_in": width,
                "inner_cutoff_type": "distance",
            }
        )

    def pair_functions(self, center: int) -> Iterator[str]:
        """Yield the functions of rank 1, as many for every element."""
        used = np.any(self.pair, axis=0)
        used[0, -1] |= not used.any()
        for e, k in np.argwhere(used).tolist():
            yield _function(center, ((e, k, 0),), {(0,): float(self.pair[center, e, k])})


def _products(parameters: AceParameters, center: int, coefficients: FloatArray) -> Iterator[Product]:
    """Yield products of two or more A, each with all of its terms."""
    parts: dict[tuple[Channel, ...], list[tuple[float, Terms]]] = {}
    for function, coefficient in zip(parameters.functions, coefficients, strict=True):
        if len(function) > 1 and coefficient != 0.0:
            mixed, of_mixed = terms_of(function)
            for weight, of_elements in _unmixed(mixed, parameters, center):
                channels, terms = fold(of_elements, of_mixed)
                parts.setdefault(channels, []).append((weight * float(coefficient), terms))
    for channels, of_channels in parts.items():
        yield channels, add_terms(of_channels)


def _unmixed(
    channels: tuple[Channel, ...], parameters: AceParameters, center: int
) -> Iterator[tuple[float, tuple[Channel, ...]]]:
    """Yield the products of densities of elements that a product of densities is a sum of, and their factors."""
    if parameters.mixing is None:
        yield 1.0, channels
        return
    rows = [parameters.mixing[center, density - MIXED] for density, _, _ in channels]
    for elements in np.ndindex(*map(len, rows)):
        weight = float(np.prod([row[e] for row, e in zip(rows, elements, strict=True)]))
        if weight != 0.0:
            yield weight, tuple((e, n, l) for e, (_, n, l) in zip(elements, channels, strict=True))


def _nothing() -> Product:
    """Return a product that adds nothing."""
    return ((0, 0, 0), (0, 0, 0)), {(0, 0): 0.0}


def _function(center: int, channels: Sequence[Channel], terms: Terms) -> str:
    return flow_mapping(
        {
            "mu0": center,
            "rank": len(channels),
            "ndensity": 1,
            "num_ms_combs": len(terms),
            "mus": [e for e, _, _ in channels],
            "ns": [n + 1 for _, n, _ in channels],
            "ls": [l for _, _, l in channels],
            "ms_combs": [m for ms in terms for m in ms],
            "ctildes": list(terms.values()),
        }
    )
