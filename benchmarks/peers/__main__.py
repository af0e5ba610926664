"""linmlp against other codes: same structures, same test errors, one thread, one run.

    python3 -m venv peers && peers/bin/pip install -e . -r benchmarks/peers/requirements.txt
    peers/bin/python -m benchmarks.peers ../shared/data/zuo_Si ../shared/data/zuo_Mo ../shared/data/zuo_Li

A set is a folder with train.xyz.gz and test.xyz.gz, of one element. Every row (a code and a size) is fitted, judged on
the test structures and timed in processes of its own, so that a crash loses one row. Fits and rows are kept in
`--results` and not made again: a run that was broken off goes on. `--retime` judges and times again, `--refit` fits
again; `--only` and `--skip` take parts of names, `--slow` adds rows whose fit takes many minutes (GAP, the largest of
others). Codes that are not installed are named and left out. For timings, leave the machine alone.

Times are processor times of the process. A step is energy, forces and virial of a thermally displaced crystal of about
500 atoms, without the search for neighbors, measured in turns with the preset "balanced" of linmlp; a table gives its
ratio to that, and that ratio times the median time of "balanced" over all rows as µs per atom. Fits count from files to
files, with the imports of Python and, in parentheses, without.
"""

import argparse
import json
import platform
from pathlib import Path

from benchmarks.peers import judging, plot, table
from benchmarks.peers.rows import compare_rows
from benchmarks.peers.running import known_rows, run_set


def processor_name():
    """Return what the processor calls itself."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()


def report(name, rows, left_out, results):
    """Print and write the table, the picture and what holds."""
    rows = judging.with_costs(rows)
    sentences = judging.sentences(rows) + left_out
    text = table.as_text(rows)
    if any(row["note"] for row in rows.values()):
        text += "\n* one fit gives all selections"
    print(f"\n{text}\n\n" + "\n".join(sentences))
    (results / "table.md").write_text(table.as_markdown(rows) + "\n")
    (results / "report.txt").write_text(text + "\n\n" + "\n".join(sentences) + "\n")
    plot.draw(rows, results / "peers.png", f"{name}, {processor_name()}")
    return rows


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz and test.xyz.gz")
    parser.add_argument("--results", type=Path, default=Path("peers-results"), help="where fits and rows are kept")
    parser.add_argument("--only", nargs="*", default=[], help="parts of names of rows to run, as in the table")
    parser.add_argument("--skip", nargs="*", default=[], help="parts of names of rows to leave out")
    parser.add_argument("--slow", action="store_true", help="with fits that take many minutes")
    parser.add_argument("--retime", action="store_true", help="judge and time rows again")
    parser.add_argument("--refit", action="store_true", help="fit again")
    parser.add_argument("--redraw", action="store_true", help="only tables and pictures of what there is")
    parser.add_argument("--no-rows", action="store_true", help="no table of the cost of design rows")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for the timing of a row")
    parser.add_argument("--tiny", action="store_true", help="bundled silicon and small sizes, to see it run")
    options = parser.parse_args(arguments)
    options.refitted = set()
    if options.tiny:
        options.seconds = 0.0
    if not options.sets and not options.tiny:
        parser.error("give folders of sets, or --tiny")
    sets = {}
    for folder in [None] if options.tiny else options.sets:
        name = "silicon" if folder is None else folder.resolve().name
        results = (options.results / name).resolve()
        print(f"== {name}: {processor_name()}, one thread", flush=True)
        if options.redraw:
            rows, left_out = known_rows(json.loads((results / "rows.json").read_text()), folder is None), []
        else:
            rows, left_out = run_set(folder and folder.resolve(), results, options)
        sets[name] = report(name, rows, left_out, results)
        if not (options.no_rows or options.redraw):
            compare_rows(folder, options.tiny)
    if len(sets) > 1:
        (options.results / "sets.md").write_text(table.as_compact(sets) + "\n")
        print(f"\n{table.as_compact(sets)}")


if __name__ == "__main__":
    main()
