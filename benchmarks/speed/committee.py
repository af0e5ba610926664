"""Time of what comes with an ACE evaluation, in units of one: committees, sums of features, selected functions.

1000 atoms of diamond silicon as in `benchmarks.speed.md_step`, energies, forces and strain derivatives in one thread.
"514 functions" is the set of that benchmark, "750 functions" has the default degrees.

    committee      10 sets of coefficients together
    with sums      the features summed over atoms beside the energy, for its standard deviation
    rows           the same sums from the loop that makes design rows, on their own
    selected       400 coefficients that are not zero among 1314, against all of them

Wall times of the best of many calls, interleaved; compilation is not timed.

    python -m benchmarks.speed.committee [--tiny] [--seconds S]
"""

import argparse

import numpy as np

from benchmarks.speed import rows
from benchmarks.speed.md_step import CUTOFF, best_times, make_parameters, make_silicon
from linmlp.descriptors.ace.basis import default_degrees
from linmlp.descriptors.ace.committee import AceCommittee
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.rows import AceRows
from linmlp.descriptors.ace.summing_evaluator import AceSummingEvaluator
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import find_pairs

N_MEMBERS = 10
N_SELECTED = 400
WIDE_DEGREES = (18, 15, 13)


def make_coefficients(parameters, n_members):
    """Return random coefficients (n_members, n_features)."""
    return np.random.default_rng(1).normal(size=(n_members, parameters.n_features))


def measure_set(parameters, pairs, seconds):
    """Print the line of a set of functions."""
    coefficients = make_coefficients(parameters, N_MEMBERS)
    plain = AceEvaluator(parameters, coefficients[0])
    committee = AceCommittee(parameters, coefficients)
    summing = AceSummingEvaluator(parameters, coefficients[0])
    design, sums = AceRows(parameters), np.empty(parameters.n_features)
    one, members, summed, of_rows = best_times(
        [
            lambda: plain.compute(pairs),
            lambda: committee.compute(pairs),
            lambda: summing.compute(pairs),
            lambda: design.write(pairs, sums, None, None),
        ],
        seconds,
    )
    print(
        f"{len(parameters.functions):9d} {one / len(pairs.numbers) * 1e6:9.2f} {members / one:12.2f}"
        f" {summed / one:10.2f} {of_rows / one:7.2f}"
    )


def measure_selected(parameters, n_selected, pairs, seconds):
    """Print how long a few of many functions take."""
    (dense,) = make_coefficients(parameters, 1)
    chosen = np.random.default_rng(2).choice(len(dense), size=n_selected, replace=False)
    selected = np.zeros_like(dense)
    selected[chosen] = dense[chosen]
    all_, few = AceEvaluator(parameters, dense), AceEvaluator(parameters, selected)
    with_sums = AceSummingEvaluator(parameters, selected, chosen)
    every, some, summed = best_times([lambda e=e: e.compute(pairs) for e in (all_, few, with_sums)], seconds)
    print(
        f"{n_selected} selected of {len(dense)}: {some / every:.2f} times as long as all"
        f" ({every / len(pairs.numbers) * 1e6:.2f} us/atom); with sums of the selected {summed / some:.2f} times that"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small sets, to see that it runs")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for each line")
    options = parser.parse_args(arguments)
    if options.tiny:
        repeat, seconds, n_selected = 1, 0.0, 5
        sets, wide = [make_parameters(1, (3, 3, 2), 2, 4)], make_parameters(1, (3, 3, 2), 2, 4)
    else:
        repeat, seconds, n_selected = 5, options.seconds, N_SELECTED
        sets = [make_parameters(1, (7, 14, 10), 5, 8), rows.make_parameters(1, default_degrees(1, 3, 6), 6)]
        wide = rows.make_parameters(1, WIDE_DEGREES, 6)
    pairs = find_pairs(make_silicon(repeat, sets[0].numbers), CUTOFF)
    print(f"{len(pairs.numbers)} atoms, {LANES} lanes; times relative to one evaluation")
    print(f"{'functions':>9s} {'us/atom':>9s} {f'{N_MEMBERS} members':>12s} {'with sums':>10s} {'rows':>7s}")
    for parameters in sets:
        measure_set(parameters, pairs, seconds)
    measure_selected(wide, n_selected, pairs, seconds)


if __name__ == "__main__":
    main()
