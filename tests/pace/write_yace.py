"""A linear ACE potential as the text of a `.yace` file, written from the formulas of `linmlp.descriptors.ace.basis`.

What ML-PACE makes of the file: with A_{mu n l m} = sum over neighbors of element mu of R_nl(r) Y_lm, Y_00 = 1,

    E_i = E0 + sum over functions, over m-tuples, of  ctilde Re prod_t A_{mus_t ns_t ls_t ms_t},

where R_nl = sum_k radcoefficients[n][l][k] g_k, n and k counted from 1 in `ns`. A function of rank 1 reads g_k itself.
Our conj(A_lm) is (-1)^m A_l-m. The cosine over the last `dcut` is left out by dcut = 0; `prehc` = 0 leaves the core to
others, and with it the core density is zero, so that its cutoff never acts.
"""

import numpy as np
from ase.data import chemical_symbols

from linmlp.descriptors.ace.basis import channel_key
from linmlp.descriptors.ace.coupling import clebsch_gordan
from linmlp.descriptors.ace.radial import FIRST

EMBEDDING = (
    "{ndensity: 1, FS_parameters: [1.0, 1.0], npoti: FinnisSinclairShiftedScaled, "
    "rho_core_cutoff: 100000.0, drho_core_cutoff: 250.0}"
)


def yace_text(parameters, coefficients, e0, spline_bin=0.001):
    """Text of the file; `e0` in the order of `parameters.numbers`, `spline_bin` in Å is that of the radial tables."""
    n_elements, n_functions = len(parameters.numbers), len(parameters.functions)
    lines = [
        "elements: " + _flow([chemical_symbols[z] for z in parameters.numbers]),
        "E0: " + _flow(e0),
        f"deltaSplineBins: {_number(spline_bin)}",
        "embeddings:",
        *(f"  {z}: {EMBEDDING}" for z in range(n_elements)),
        "bonds:",
        *(f"  [{z}, {e}]: {_bond(parameters, z, e)}" for z in range(n_elements) for e in range(n_elements)),
        "functions:",
    ]
    for z, block in enumerate(np.reshape(coefficients, (n_elements, n_functions))):
        lines.append(f"  {z}:")
        lines.extend(f"    - {function}" for function in _functions(parameters, z, block))
    return "\n".join(lines) + "\n"


def write_yace(model, path, spline_bin=0.001):
    """Write a fitted `LinearPotential` without its baselines."""
    parameters = model.descriptor_.parameters_
    e0 = [model.e0_[chemical_symbols[z]] for z in parameters.numbers]
    path.write_text(yace_text(parameters, model.coef_, e0, spline_bin))


def _bond(parameters, center, neighbor):
    """Radial functions around `center` for neighbors of element `neighbor`; zeros for g_k below FIRST."""
    max_l = max([l for function in parameters.functions for _, _, l in function])
    used = parameters.radial_map[center, neighbor, : max_l + 1]
    n_base = FIRST + max(used.shape[-1], parameters.pair_map.shape[-1])
    coefficients = np.zeros((used.shape[1], max_l + 1, n_base))
    coefficients[:, :, FIRST : FIRST + used.shape[-1]] = used.transpose(1, 0, 2)
    width = parameters.inner_width[center, neighbor]
    return _mapping(
        radbasename="ChebExpCos",
        nradmax=used.shape[1],
        lmax=max_l,
        nradbasemax=n_base,
        radparameters=[float(parameters.scaling)],
        radcoefficients=coefficients,
        prehc=0.0,
        lambdahc=1.0,
        rcut=float(parameters.cutoff),
        dcut=0.0,
        rcut_in=float(parameters.inner[center, neighbor]) if width > 0 else 0.0,
        dcut_in=float(width),
        inner_cutoff_type="distance",
    )


def _functions(parameters, center, coefficients):
    pair = np.zeros(parameters.pair_map.shape[1::2])
    for function, coefficient in zip(parameters.functions, coefficients, strict=True):
        if len(function) == 1:
            ((e, n, _),) = function
            pair[e] += coefficient * parameters.pair_map[center, e, n]
    for e, k in np.ndindex(pair.shape):
        yield _function(center, [(e, k + FIRST, 0)], [(0,)], [pair[e, k]])
    for function, coefficient in zip(parameters.functions, coefficients, strict=True):
        if len(function) > 1:
            factors = sorted(function, key=channel_key)
            ms, couplings = zip(*_coupling([l for _, _, l in factors]), strict=True)
            yield _function(center, factors, ms, coefficient * np.array(couplings))


def _coupling(ls):
    """Yield (m-tuple, coefficient of the product of A); in our formulas the last factor is a conjugate."""
    for m1 in range(-ls[0], ls[0] + 1):
        if len(ls) == 2:
            yield (m1, -m1), (-1.0) ** m1
            continue
        for m2 in range(-ls[1], ls[1] + 1):
            if abs(m1 + m2) <= ls[2]:
                factor = clebsch_gordan(ls[0], m1, ls[1], m2, ls[2], m1 + m2)
                yield (m1, m2, -m1 - m2), (-1.0) ** (m1 + m2) * factor


def _function(center, factors, ms, ctildes):
    return _mapping(
        mu0=center,
        rank=len(factors),
        ndensity=1,
        num_ms_combs=len(ms),
        mus=[e for e, _, _ in factors],
        ns=[n + 1 for _, n, _ in factors],
        ls=[l for _, _, l in factors],
        ms_combs=[m for combination in ms for m in combination],
        ctildes=ctildes,
    )


def _mapping(**entries):
    return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in entries.items()) + "}"


def _flow(value):
    if isinstance(value, list | tuple | np.ndarray):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value if isinstance(value, str) else _number(value)


def _number(value):
    """All digits; integers without a point, others with one (YAML reads 1e-05 as a string)."""
    if isinstance(value, int | np.integer):
        return str(int(value))
    mantissa, e, exponent = repr(float(value)).partition("e")
    return (mantissa if "." in mantissa else mantissa + ".0") + e + exponent
