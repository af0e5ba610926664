"""Selection of functions by what they bring for what they cost, against selection without costs, at equal time.

The front (`linmlp.evaluation.front`) has three ways to select: by the drop of the loss alone ("selected"), over the
square root of what a function adds to the cost of a step ("frugal"), and over that cost ("thrifty"), beside all
functions up to some degrees. Errors are those of cross-validation on training structures, selection repeated in every
fold; times of a step are measured in one run, in turns. "Old" is the best within a budget of time without the ways
that look at costs, "new" the best of all. Scores are 1/2 ln energy MAE + 1/2 ln force RMSE: -0.10 is 10 % less in both.

    python benchmarks/accuracy/selection_costs.py ../shared/data/zuo_Si ../shared/data/zuo_Mo --seeds 2
"""

import argparse
from pathlib import Path

import numpy as np

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.evaluation.front import compute_front
from linmlp.evaluation.front.models import COST_POWERS
from linmlp.structures.files import read_structures

BUDGETS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the time that all functions take."""


def best_within(points, budget):
    """Return the smallest score of what takes no longer, NaN if nothing does."""
    return min((point.score for point in points if point.cost <= budget), default=np.nan)


def compare(points):
    """Return the scores of old and new within each budget, (2, n_budgets), and the budgets in µs per atom."""
    budgets = max(point.cost for point in points) * np.array(BUDGETS)
    ways = tuple(name for name, power in COST_POWERS.items() if power > 0.0)
    old = [point for point in points if not point.name.endswith(ways)]
    return np.array([[best_within(some, budget) for budget in budgets] for some in (old, points)]), budgets


def tell(name, scores, budgets):
    """Print a table of scores within budgets."""
    print(f"{name}: best score within budgets, part of the time of all functions (µs/atom)")
    print("     " + " ".join(f"{part:4.1f} ({us:5.2f})" for part, us in zip(BUDGETS, budgets, strict=True)))
    for way, values in zip(("old", "new"), scores, strict=True):
        print(f"{way:4} " + " ".join(f"{value:12.3f}" for value in values))
    print("gain " + " ".join(f"{value:12.3f}" for value in scores[0] - scores[1]), flush=True)


def run(name, structures, potential, options, **settings):
    for seed in range(options.seeds):
        found = compute_front(
            structures,
            potential.set_params(random_state=seed),
            cv=options.folds,
            random_state=seed,
            **settings,
        )
        print(f"== {name}, fold seed {seed}\n{found}")
        tell(name, *compare(found.points))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz")
    parser.add_argument("--bundled", action="store_true", help="the bundled sets, too")
    parser.add_argument("--seeds", type=int, default=2, help="number of fold seeds")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--tiny", action="store_true", help="a few bundled structures and functions, to see it run")
    options = parser.parse_args(arguments)
    potential = LinearPotential(n_folds=options.folds, n_jobs=1)
    if options.tiny:
        options.seeds, options.folds = 1, 2
        small = LinearPotential(ACE(4.5, order=4, max_degree=(6, 5, 3, 2)), n_folds=2, n_jobs=1)
        run("tiny", load_silicon()[0][:24], small, options, sizes=(4, 12), degrees=[(4, 3)])
    sets = {folder.name: lambda folder=folder: read_structures(folder / "train.xyz.gz") for folder in options.sets}
    if options.bundled:
        sets |= {"silicon": lambda: load_silicon()[0], "LiCl": lambda: load_lithium_chloride()[0]}
    for name, load in sets.items():
        run(name, load(), potential, options)


if __name__ == "__main__":
    main()
