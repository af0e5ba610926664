"""Vectors in compiled code against numpy."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit

from linmlp.descriptors import simd

WIDTH = 4
load, store, splat, spread, constant = simd.vector_operations(WIDTH)
reverse_mixed = simd.shuffle((7, 2, 5, 0))


@njit
def arithmetic(a, b, out):
    x, y = load(a, 1), load(b, 0)
    results = (
        x + y,
        x - y,
        x * y,
        x / y,
        2.0 * x,
        x * 3.0,
        x + 1.5,
        1.5 - x,
        2.0 / x,
        simd.square_root(x * x),
        simd.minimum(x, y),
        simd.maximum(x, y),
        splat(0.25),
        reverse_mixed(x, y),
    )
    for k in range(len(results)):
        store(out, k * WIDTH, results[k])
    return simd.total(x), simd.lane(y, 2)


def test_arithmetic_lane_by_lane():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.5, 2, 6), rng.uniform(0.5, 2, 5)
    x, y = a[1:5], b[:4]
    out = np.zeros(14 * WIDTH)
    total, lane = arithmetic(a, b, out)
    expected = [x + y, x - y, x * y, x / y, 2 * x, 3 * x, x + 1.5, 1.5 - x, 2 / x, x]
    expected += [np.minimum(x, y), np.maximum(x, y), np.full(4, 0.25), np.concatenate([x, y])[[7, 2, 5, 0]]]
    np.testing.assert_allclose(out.reshape(14, WIDTH), expected, rtol=1e-15)
    assert total == pytest.approx(x.sum(), rel=1e-15)
    assert lane == y[2]


@njit
def single_precision(doubles, singles, out):
    x, y = simd.narrow(load(doubles, 0)), load(simd.pointer(singles), 1)
    results = (
        x + y,
        x * y,
        x / y,
        simd.element(singles, 0) * x,
        simd.maximum(x, y),
        splat(simd.element(singles, 2)),
    )
    for k in range(len(results)):
        store(out, k * WIDTH, results[k])
    return simd.total(x), simd.lane(y, 3)


def test_single_precision_lane_by_lane():
    rng = np.random.default_rng(1)
    doubles, singles = rng.uniform(0.5, 2, 4), rng.uniform(0.5, 2, 5).astype(np.float32)
    x, y = doubles.astype(np.float32), singles[1:]
    out = np.zeros(6 * WIDTH, dtype=np.float32)
    total, lane = single_precision(doubles, singles, out)
    expected = [x + y, x * y, x / y, singles[0] * x, np.maximum(x, y), np.full(4, singles[2])]
    np.testing.assert_allclose(out.reshape(6, WIDTH), expected, rtol=1e-6)
    assert out.dtype == np.float32
    assert total == pytest.approx(x.sum(), rel=1e-6)
    assert lane == y[3]


@njit
def pair_arithmetic(doubles, pairs, out):
    """Pairs are (W, 2); the first numbers are used for one thing, the second ones for another."""
    p, q = simd.pointer(pairs), simd.pointer(out)
    x, y = simd.doubled(load(doubles, 0)), load(simd.shifted(p, 1), 0)
    results = x * y + spread(p, 5), x - constant(p, 3.0), y / x
    for k in range(len(results)):
        store(q, k * WIDTH, results[k])
    store(doubles, 0, simd.first_of_pairs(y))
    store(doubles, WIDTH, simd.second_of_pairs(y))


def test_pairs_are_two_things_at_once():
    rng = np.random.default_rng(2)
    doubles, singles = rng.uniform(0.5, 2, 2 * WIDTH), rng.uniform(0.5, 2, (6, 2)).astype(np.float32)
    out = np.zeros(3 * WIDTH, dtype=np.complex64)
    x = doubles[:WIDTH].copy()
    pair_arithmetic(doubles, singles.view(np.complex64)[:, 0], out)
    results = out.view(np.float32).reshape(3, WIDTH, 2)
    for which in range(2):
        y = singles[1 : 1 + WIDTH, which]
        expected = [x * y + singles[5, which], x - 3.0, y / x]
        np.testing.assert_allclose(results[:, :, which], expected, rtol=1e-6)
        np.testing.assert_array_equal(doubles.reshape(2, WIDTH)[which], y)


@njit
def join_and_split(doubles, pairs):
    v = simd.joined(load(doubles, 0), load(doubles, WIDTH))
    store(pairs, 0, v)
    store(doubles, 0, simd.second_half(v))
    store(doubles, WIDTH, simd.first_half(v))


def test_two_vectors_in_one():
    doubles = np.random.default_rng(3).uniform(0.5, 2, 2 * WIDTH)
    rounded, pairs = doubles.astype(np.float32), np.zeros(WIDTH, dtype=np.complex64)
    join_and_split(doubles, pairs)
    np.testing.assert_array_equal(pairs.view(np.float32), rounded)
    np.testing.assert_array_equal(doubles, np.roll(rounded, WIDTH))


@njit
def spread_numbers(array, out):
    store(out, 0, spread(array, 2))
    store(out, WIDTH, constant(array, 0.5))


@pytest.mark.parametrize("number", [np.float64, np.float32, np.complex64])
def test_one_number_in_every_lane(number):
    array, out = np.array([1.0, 2.0, 3.0]).astype(number), np.zeros(2 * WIDTH, dtype=number)
    if number is np.complex64:
        array += np.complex64(4.0j)
    spread_numbers(array, out)
    wanted = np.complex64(0.5 + 0.5j) if number is np.complex64 else 0.5
    np.testing.assert_array_equal(out, [*[array[2]] * WIDTH, *[wanted] * WIDTH])


@njit
def move_numbers(numbers, integers, out):
    p, q = simd.pointer(numbers), simd.pointer(integers)
    later = simd.shifted(p, 2)
    store(simd.pointer(out), 0, load(later, 1))
    simd.put(q, 1, simd.element(q, 0) + 5)
    simd.put(later, 0, 7.0)
    return simd.element(p, 2) + simd.element(numbers, 0)


def test_pointers():
    numbers, integers, out = np.arange(7.0).reshape(7, 1) + 1, np.array([3, 0]), np.zeros(4)
    assert move_numbers(numbers, integers, out) == 8.0
    np.testing.assert_array_equal(out, [4, 5, 6, 7])
    np.testing.assert_array_equal(integers, [3, 8])
    assert numbers[2, 0] == 7.0


def test_lanes_fit_registers():
    assert simd.LANES in (4, 8)


OVERRUN = """
import numpy as np
from linmlp.descriptors import simd
load, store, splat, spread, constant = simd.vector_operations(4)
array = np.zeros(6)
assert simd.narrow(load(array, 0)).dtype == splat(np.float32(1.0)).dtype == np.float32
for access in (
    lambda: load(array.astype(np.float32), 3),
    lambda: load(array, 3),
    lambda: load(array, -1),
    lambda: store(array, 3, splat(1.0)),
    lambda: load(array.astype(np.complex64), 3),
    lambda: store(array.astype(np.complex64), 3, simd.doubled(splat(1.0))),
    lambda: spread(array, 6),
    lambda: simd.element(array, 6),
    lambda: simd.put(array, -1, 1.0),
    lambda: simd.element(simd.shifted(simd.pointer(array), 4), 2),
):
    try:
        access()
    except IndexError:
        continue
    raise SystemExit("an overrun went unnoticed")
pairs = np.zeros(4, dtype=np.complex64)
store(pairs, 0, simd.doubled(splat(2.0)) * constant(pairs, 3.0) + spread(pairs, 1))
assert np.all(pairs == 6 + 6j)
try:
    store(pairs, 0, splat(1.0))
except TypeError:
    raise SystemExit
raise SystemExit("four numbers were taken for four pairs")
"""


def test_overruns_are_found_without_compilation():
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", OVERRUN], env=environment, check=True)
