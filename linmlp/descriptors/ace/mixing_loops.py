"""Compiled: columns of neighbor elements mixed to channels of elements, and derivatives the way back."""
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import njit

from linmlp.descriptors.ace.lane_loops import OPTIONS, constant, load, spread, store
from linmlp.descriptors.simd import LANES, element, shifted


@njit(**OPTIONS)
def mix(z, n_elements, mixing, x):
    """Write mixed columns (channel, column) = sum over e of W[channel, e] x[e, column], behind those in x."""
    size, weight = element(mixing.size, z), shifted(mixing.weight, z * mixing.n_channels * n_elements)
    target = shifted(x, element(mixing.start, z))
    for channel in range(mixing.n_channels):
        _add_up(n_elements, size, shifted(weight, channel * n_elements), 1, x, shifted(target, channel * size))


@njit(**OPTIONS)
def mix_back(z, n_elements, mixing, x):
    """Write columns (e, column) = sum over channels of W[channel, e] x[channel, column], which stand behind them."""
    size, weight = element(mixing.size, z), shifted(mixing.weight, z * mixing.n_channels * n_elements)
    source = shifted(x, element(mixing.start, z))
    if mixing.n_channels > 0:
        for e in range(n_elements):
            _add_up(mixing.n_channels, size, shifted(weight, e), n_elements, source, shifted(x, e * size))


@njit(**OPTIONS)
def _add_up(n, size, weight, step, x, y):
    """Write y (size,) = sum over k < n of weight[k step] x[k, :]; four columns at a time."""
    zero = constant(x, 0.0)
    o = 0
    while o + 4 * LANES <= size:
        a, b, c, d = zero, zero, zero, zero
        for k in range(n):
            f, p = spread(weight, k * step), k * size + o
            a = a + f * load(x, p)
            b = b + f * load(x, p + LANES)
            c = c + f * load(x, p + 2 * LANES)
            d = d + f * load(x, p + 3 * LANES)
        store(y, o, a)
        store(y, o + LANES, b)
        store(y, o + 2 * LANES, c)
        store(y, o + 3 * LANES, d)
        o += 4 * LANES
    while o < size:
        a = zero
        for k in range(n):
            a = a + spread(weight, k * step) * load(x, k * size + o)
        store(y, o, a)
        o += LANES
