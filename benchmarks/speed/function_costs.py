"""Do counted operations predict the time of a step? Rates of their kinds, and the error of the prediction.

Sets of functions are the tiers of ACE, functions up to some n or l, and functions drawn from the pool for selection at
random. Their operations by kind of part are those of `linmlp.descriptors.ace.costs`, times are those of energies,
forces and stress for atoms of diamond silicon with noise, by the clock of the thread, medians over rounds in which all
take turns. Least squares of relative errors, not negative, give the time of an operation of each kind; "rates" are
these in units of that of raw sums and what is as fast. The competitor is the number of functions alone.

    python -m benchmarks.speed.function_costs [--cutoff 5.5] [--rounds 40] [--tiny]
"""

import argparse
import platform
import time

import numpy as np
from scipy.optimize import nnls

from benchmarks.speed.md_step import make_silicon
from linmlp import ACE
from linmlp.descriptors.ace.costs import RATES, compute_costs, parts_around
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.tiers import ONE_ELEMENT
from linmlp.neighbors import find_pairs
from linmlp.solvers import FeatureCosts

GROUPS = {"neighbors": ("neighbors",), "radial, angular": ("radial", "angular"), "couples": ("product", "couple")}
"""Kinds of parts with a rate of their own; all others, and the operations of functions alone, have that of raw sums."""

DRAWN = (0.03, 0.06, 0.12, 0.25, 0.5)
"""Fractions of the pool that are drawn."""


def make_masks(descriptor, tiers):
    """Return sets of functions of the pool, as masks."""
    rng = np.random.default_rng(0)
    functions, degrees = descriptor.parameters_.functions, descriptor.feature_degrees()
    channels = [[channel for channel in f if channel[0] >= 0] for f in functions]
    masks = [np.array([d <= (*tier, -1, -1, -1)[order - 1] for order, d in degrees]) for tier in tiers]
    masks += [np.array([all(l <= most for _, _, l in c) for c in channels]) for most in range(descriptor.max_l)]
    masks += [np.array([all(n <= most for _, n, _ in c) for c in channels]) for most in (2, 4, 8, 12)]
    masks += [rng.random(len(functions)) < fraction for fraction in DRAWN for _ in range(2)]
    masks += [mask & (rng.random(len(functions)) < 0.3) for mask in masks[1 : len(tiers)]]
    return [mask for mask in masks if mask.any()]


def count_by_group(parameters, costs, n_neighbors, mask):
    """Return operations of a set of functions, (n_groups + 1,), without rates."""
    names = list(parts_around(parameters, 0, n_neighbors).items())
    needed = np.unique(np.concatenate([costs.part[costs.first[v] : costs.first[v + 1]] for v in np.flatnonzero(mask)]))
    found = dict.fromkeys((*GROUPS, "others"), 0.0)
    found["others"] += costs.own[mask].sum()
    for k in needed:
        (kind, *_), cost = names[k]
        group = next((group for group, kinds in GROUPS.items() if kind in kinds), "others")
        found[group] += cost / RATES.get(kind, 1.0)
    return list(found.values())


def measure(descriptor, masks, pairs, n_rounds):
    """Return median times of a step in ns per atom."""
    rng = np.random.default_rng(1)
    evaluators = [AceEvaluator(descriptor.parameters_, np.where(mask, rng.normal(size=len(mask)), 0)) for mask in masks]
    seconds = np.empty((n_rounds, len(evaluators)))
    for evaluator in evaluators:
        evaluator.compute(pairs)
    for row in seconds:
        for k, evaluator in enumerate(evaluators):
            start = time.thread_time()
            evaluator.compute(pairs)
            row[k] = time.thread_time() - start
    return 1e9 * np.median(seconds, axis=0) / len(pairs.numbers)


def relative_fit(columns, times):
    """Return non-negative coefficients and the root mean square of relative errors."""
    found, norm = nnls(np.asarray(columns) / times[:, None], np.ones(len(times)))
    return found, norm / np.sqrt(len(times))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cutoff", type=float, default=5.5, help="Å")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--tiny", action="store_true", help="few functions and atoms, to see it run")
    options = parser.parse_args(arguments)
    tiers = ((4, 3), (5, 4, 3), (6, 5, 4, 3)) if options.tiny else ONE_ELEMENT
    atoms = make_silicon(2 if options.tiny else 4, (14,))
    pool = ACE(options.cutoff, max_degree=tiers[-1], max_l=2 if options.tiny else 6).fit([atoms])
    pairs = find_pairs(atoms, options.cutoff)
    n_neighbors = np.array([len(pairs.i) / len(atoms)])
    masks = make_masks(pool, tiers)
    times = measure(pool, masks, pairs, 2 if options.tiny else options.rounds)
    arrays = compute_costs(pool.parameters_, n_neighbors[None], np.ones(1))
    counts = np.array([count_by_group(pool.parameters_, arrays, n_neighbors, mask) for mask in masks])
    rates, error = relative_fit(counts, times)
    print(
        f"{platform.machine()}, {n_neighbors[0]:.1f} neighbors, {len(masks)} sets of {sum(masks[0])} to {len(masks[0])}"
    )
    print("ns per operation: " + ", ".join(f"{k} {v:.4f}" for k, v in zip((*GROUPS, "others"), rates, strict=True)))
    unit = rates[-1] or 1.0
    told = ", ".join(f"{k} {v / unit:.1f}" for k, v in zip(GROUPS, rates, strict=False))
    print(f"rates: {told}, others 1; error of these fits {100 * error:.1f} %")
    costs = FeatureCosts(*arrays)
    totals = np.array([[costs.total(mask)] for mask in masks])
    print(f"error with the rates in use, one unit fitted: {100 * relative_fit(totals, times)[1]:.1f} %")
    numbers = np.array([[1.0, mask.sum()] for mask in masks])
    print(f"error of a constant and a time for each function: {100 * relative_fit(numbers, times)[1]:.1f} %")


if __name__ == "__main__":
    main()
