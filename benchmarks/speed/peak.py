"""Peak of one core, measured: what the other benchmarks are a fraction of."""

import time

from numba import njit

from linmlp.descriptors.simd import REGISTER_LANES, total, vector_operations

FLOPS_PER_LANE = 2 * 10


WIDTH = REGISTER_LANES
splat = vector_operations(WIDTH).splat


@njit(nogil=True)
def _chains(n_steps, x, y):
    """Run ten independent chains of fused multiply-adds, a = a * x + y, and return their sum."""
    x, y = splat(x), splat(y)
    a0, a1, a2, a3, a4 = y, 2.0 * y, 3.0 * y, 4.0 * y, 5.0 * y  # equal chains would be merged into one
    a5, a6, a7, a8, a9 = 6.0 * y, 7.0 * y, 8.0 * y, 9.0 * y, 10.0 * y
    for _ in range(n_steps):
        a0 = a0 * x + y
        a1 = a1 * x + y
        a2 = a2 * x + y
        a3 = a3 * x + y
        a4 = a4 * x + y
        a5 = a5 * x + y
        a6 = a6 * x + y
        a7 = a7 * x + y
        a8 = a8 * x + y
        a9 = a9 * x + y
    return total(a0 + a1 + a2 + a3 + a4 + (a5 + a6 + a7 + a8 + a9))


def measure_fma_peak(seconds: float = 0.3) -> float:
    """Return the double-precision flop/s of one thread that does nothing but fused multiply-adds.

    The best of short runs over `seconds`, with the widest registers that Numba compiles for; one multiply-add is two
    flops.
    """
    n_steps = 20_000
    _chains(n_steps, 0.5, 1.0)
    best = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        _chains(n_steps, 0.5, 1.0)
        best = min(best, time.perf_counter() - start)
    return n_steps * FLOPS_PER_LANE * WIDTH / best


if __name__ == "__main__":
    print(f"{measure_fma_peak() / 1e9:.1f} GFLOP/s with {WIDTH} lanes")
