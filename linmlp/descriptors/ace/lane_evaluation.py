"""What all evaluations in lanes have in common: blocks of atoms, memory, threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from linmlp.descriptors.ace.evaluator_records import Functions, Listed, Scratch, Sizes, plain
from linmlp.descriptors.ace.forms import stack_series
from linmlp.descriptors.ace.lane_blocks import Blocks, make_blocks
from linmlp.descriptors.ace.lane_loops import PAIR_FIELDS
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan import Plan, column_norms, column_weights
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray

MIN_BLOCKS = 4
"""Blocks of atoms that are worth a thread of their own."""

LINE = 8
"""Doubles in a cache line."""

_pools: dict[int, ThreadPoolExecutor] = {}
os.register_at_fork(after_in_child=_pools.clear)


class LaneEvaluation:
    """Splits atoms into blocks and blocks over threads; children say what is computed.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    plan : Plan
        What to compute.
    lanes : int
        Atoms of a block.
    """

    def __init__(self, parameters: AceParameters, plan: Plan, lanes: int = LANES) -> None:
        self.parameters = parameters
        self._plan, self._lanes = plan, lanes
        most = max(parameters.radial_map.shape[2] - 1, int(self._plan.order_two.l.max(initial=0)))
        self._functions = _tabulate_functions(parameters, most)
        self._compiled_plan, self._compiled_functions = plain(self._plan), plain(self._functions)
        n_elements, _, n_l = self._plan.n_raw.shape
        self._sizes = Sizes(n_elements, n_l, int(self._plan.n_raw.max()), 0)
        self._spare = 2 * most + 1
        self._known: tuple[IntArray, IntArray, IntArray, Blocks] | None = None

    def _count_threads(self, pairs: Pairs, n_threads: int) -> int:
        """Return how many threads a structure is worth."""
        return max(1, min(n_threads, len(self._blocks(pairs).element) // MIN_BLOCKS))

    def _run(self, pairs: Pairs, n_threads: int, loop: Callable[..., None]) -> None:
        """Call loop(thread, first, last, sizes, blocks, listed, functions, plan, scratch) in every thread."""
        blocks = self._blocks(pairs)
        bounds = _split_evenly(blocks, n_threads)
        sizes = self._sizes._replace(capacity=int(blocks.slots.sum(axis=1).max(initial=0)))
        positions, shift = (np.ascontiguousarray(array, dtype=float) for array in (pairs.positions, pairs.shift))
        listed = Listed(len(pairs.numbers), positions, pairs.j, shift, blocks.segments)
        records: tuple[Any, ...] = (plain(sizes), plain(blocks), plain(listed))
        records += (self._compiled_functions, self._compiled_plan)

        def run(thread: int) -> None:
            loop(thread, bounds[thread], bounds[thread + 1], *records, plain(self._allocate(sizes)))

        others = [_pool(n_threads).submit(run, thread) for thread in range(1, n_threads)]
        run(0)
        for other in others:
            other.result()

    def _allocate(self, sizes: Sizes) -> Scratch:
        """Return memory for one thread."""
        n_l, columns = sizes.n_l, sizes.n_l**2
        spare = self._spare * LANES
        per_slot = (5, sizes.stride, sizes.stride, n_l * (n_l + 1) // 2, 2 * n_l, columns, 3)
        raw, used = int(self._plan.raw_size.max()) + spare, int(self._plan.used_size.max()) + spare
        lengths = [*(sizes.capacity * LANES * n for n in per_slot), raw, used, used, 2 * columns * LANES]
        lengths += [2 * LANES, 10 * LANES]
        integers = (sizes.capacity * LANES, LANES, sizes.n_elements, sizes.n_elements)
        arrays: tuple[Any, ...] = (*aligned_zeros(*lengths), *(np.empty(n, dtype=np.int64) for n in integers))
        return Scratch(*arrays)

    def _blocks(self, pairs: Pairs) -> Blocks:
        """Return the blocks of atoms, those of the call before if the list of pairs is the same."""
        known = self._known
        if known is not None and known[0] is pairs.numbers and known[1] is pairs.first and known[2] is pairs.j:
            return known[3]
        kinds = self.parameters.element_indices(pairs.numbers)
        near = pairs.distances < self.parameters.cutoff
        blocks = make_blocks(pairs.first, pairs.j, near, kinds, len(self.parameters.numbers), self._lanes)
        self._known = pairs.numbers, pairs.first, pairs.j, blocks
        return blocks


def aligned_zeros(*lengths: int) -> list[FloatArray]:
    """Return arrays of zeros, each at the start of a cache line; what the loops read but never write is finite."""
    bounds = np.cumsum([0] + [-(-length // LINE) * LINE for length in lengths])
    memory = np.zeros(bounds[-1] + LINE)
    memory = memory[-(memory.ctypes.data // memory.itemsize) % LINE :]
    return [memory[start : start + length] for start, length in zip(bounds.tolist(), lengths, strict=False)]


def _pool(n_threads: int) -> ThreadPoolExecutor:
    """Return a pool of threads, made at first use and anew after a fork."""
    if n_threads not in _pools:
        _pools[n_threads] = ThreadPoolExecutor(n_threads - 1, thread_name_prefix="linmlp")
    return _pools[n_threads]


def _split_evenly(blocks: Blocks, n_threads: int) -> list[int]:
    """Return where the share of each thread starts: equal numbers of neighbor slots."""
    if n_threads == 1:
        return [0, len(blocks.element)]
    # A block costs about as much as 20 slots before its first neighbor.
    cost = np.cumsum(blocks.slots.sum(axis=1) + 20)
    inner = np.searchsorted(cost, cost[-1] * np.arange(1, n_threads) / n_threads)
    return [0, *inner.tolist(), len(cost)]


def _tabulate_functions(parameters: AceParameters, max_coupled: int) -> Functions:
    """Return the constants of the radial and angular functions, and weights up to angular momenta of coupled pairs."""
    max_l = parameters.radial_map.shape[2] - 1
    places = list(np.ndindex(parameters.inner.shape))
    forms = [parameters.form(z, e) for z, e in places]
    distance = stack_series([form.distance_series() for form in forms])
    envelope = stack_series([form.envelope_series() for form in forms])
    pairs = np.zeros((len(forms), PAIR_FIELDS))
    for row, place, form in zip(pairs, places, forms, strict=True):
        row[:2] = _switch(float(parameters.inner[place]), float(parameters.inner_width[place]))
        row[2:4] = _switch(form.cutoff, form.outer_width)
        row[4:] = 1 / form.cutoff, form.envelope_power, form.has_envelope
    return Functions(
        float(parameters.cutoff),
        distance.shape[1],
        envelope.shape[1],
        distance.ravel(),
        envelope.ravel(),
        pairs.ravel(),
        _angular_recursion(max_l),
        column_norms(max_l),
        column_weights(max_coupled),
    )


def _switch(end: float, width: float) -> tuple[float, float]:
    """Return slope and intercept of what grows from 0 at end - width to 1 at end; slope 0 for no width."""
    return (1 / width, 1 - end / width) if width > 0 else (0.0, 1.0)


def _angular_recursion(max_l: int) -> FloatArray:
    """Return the factors of (l - m) Q_lm = (2l - 1) z Q_(l-1)m - (l + m - 1) Q_(l-2)m, shape (n_lm, 2) flat."""
    factors = np.zeros((max_l + 1) * (max_l + 2))
    for l in range(max_l + 1):
        for m in range(l):
            lm = l * (l + 1) // 2 + m
            factors[2 * lm : 2 * lm + 2] = (2 * l - 1) / (l - m), (l + m - 1) / (l - m)
    return factors
