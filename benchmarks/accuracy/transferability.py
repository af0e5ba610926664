"""Where default potentials may be trusted beyond their training sets: groups left out, grades, volumes.

Fits each set with uncertainties, leaves out every group of training structures, and measures errors on the test
structures by grade and volume. Prints the statement and the main tables (with --tables all), and with --times what all
refits together take, relative to the fit.

    python benchmarks/accuracy/transferability.py ../shared/data/zuo_Si ../shared/data/zuo_Mo
"""

import argparse
import time
from pathlib import Path

from ase.io import read

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.evaluation.transferability import assess_transferability, leave_one_group_out


def report(name, train, test, tables, **settings):
    model = LinearPotential(ACE(**settings), uncertainty=True).fit(train)
    result = assess_transferability(model, train, test)
    print(f"\n== {name}: {len(train)} training structures, {len(model.coef_)} functions")
    parts = (result,) if tables else (result.statement(), result.groups, result.grades, result.volume)
    print(*parts, sep="\n\n", flush=True)


def compare_times(train, **settings):
    """CPU time of all refits together, relative to one fit that searches its weights."""
    times = []
    potential = LinearPotential(ACE(**settings))
    for run in (lambda: potential.fit(train), lambda: leave_one_group_out(potential, train)):
        start = time.process_time()
        result = run()
        times.append(time.process_time() - start)
    print(
        f"{len(result.rows)} groups left out and {result.n_folds} folds solved in {times[1] / times[0]:.2f} times the "
        "CPU time of the fit"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz and test.xyz.gz")
    parser.add_argument("--max-degree", nargs="*", type=int, help="degrees per order; the default of ACE if absent")
    parser.add_argument("--cutoff", type=float, help="Å; chosen by cross-validation if absent")
    parser.add_argument("--tables", action="store_true", help="print all tables")
    parser.add_argument("--times", action="store_true", help="fit once more and print what refits take")
    parser.add_argument("--tiny", action="store_true", help="a few bundled structures and functions, to see it run")
    options = parser.parse_args(arguments)
    settings = {"max_degree": tuple(options.max_degree)} if options.max_degree else {}
    settings |= {"cutoff": options.cutoff} if options.cutoff else {}
    if options.tiny:
        train, test = load_silicon()
        small = {"cutoff": 4.0, "order": 2, "max_degree": (5, 4)}
        report("bundled silicon", train[::3], test[::3], options.tables, **small)
        compare_times(train[::3], **small)
    for folder in options.sets:
        train, test = (read(folder / f"{part}.xyz.gz", ":") for part in ("train", "test"))
        report(folder.name, train, test, options.tables, **settings)
        if options.times:
            compare_times(train, **settings)


if __name__ == "__main__":
    main()
