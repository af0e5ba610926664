"""One fit, or the errors and the step of one potential, in a process of its own; the answer is a JSON file.

The parent (`running.py`) starts it: `python -m benchmarks.peers.work fit|judge MODULE SETTING RESULTS ...`
"""

import argparse
import importlib
import json
import os
import time
from pathlib import Path

from benchmarks.peers.contract import REFERENCE, folder_name, load_code, other_folder
from benchmarks.peers.data import crystal, read_part

BLOCK = 0.02
"""Seconds of processor time of one timing, at least."""


def processor_seconds():
    """Return user and system time of this process and of those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def fit(code, name, setting, options):
    """Fit, from files to files, and return the processor time without imports."""
    modules = code.MODULES.get(setting.fit or name, ()) if isinstance(code.MODULES, dict) else code.MODULES
    for module in modules:
        importlib.import_module(module)
    folder = options.results / folder_name(code.NAME, setting.fit or name)
    folder.mkdir(parents=True, exist_ok=True)
    start = processor_seconds()
    code.fit(setting, read_part(options.set, "train"), folder, options.results)
    return {"seconds_without_imports": processor_seconds() - start}


def judge(code, name, setting, options):
    """Return errors on the test structures with intervals, and the time of a step."""
    potential = code.load(setting, options.results / folder_name(code.NAME, setting.fit or name), options.results)
    found = {"n_parameters": int(potential.n_parameters)} | errors(potential, read_part(options.set, "test"))
    train = read_part(options.set, "train")
    return found | times(potential, crystal(train, 60) if options.set is None else crystal(train), options)


def errors(potential, test):
    """Return errors in meV/atom, eV/Å and GPa, and their bootstrap intervals over structures."""
    import numpy as np

    from linmlp.potentials.errors import ErrorTable, StructureErrors
    from linmlp.potentials.predictor import Prediction
    from linmlp.structures import read_labels

    found = []
    for atoms, labels in zip(test, read_labels(test), strict=True):
        predicted, n = potential.predict(atoms), len(atoms)
        volume = None if predicted.stress is None or not atoms.pbc.all() else atoms.get_volume()
        gradient = np.zeros((n, 6)) if volume is None else np.tile(volume / n * np.asarray(predicted.stress), (n, 1))
        energies = np.full(n, predicted.energy / n)
        found.append(StructureErrors.of(Prediction(energies, predicted.forces, gradient, volume), labels))
    table = ErrorTable(found)
    return {"errors": table.to_dict()["total"], "intervals": table.intervals()}


def times(potential, atoms, options):
    """Return the processor time of a step without search for neighbors, and of the reference's, measured in turns."""
    import numpy as np

    ours = load_code("linmlp_")
    setting = ours.settings(options.set is None)[REFERENCE[1]]
    reference = ours.load(setting, other_folder(options.results, *REFERENCE), options.results)
    steppers = [potential.stepper(atoms), reference.stepper(atoms), potential.search_stepper(atoms)]
    steppers = [steps for steps in steppers if steps is not None]
    counts = [calls_per_block(steps) for steps in steppers]
    seconds = []
    end = time.process_time() + options.seconds
    while len(seconds) < 5 or time.process_time() < end:
        seconds.append([timed(steps, count) for steps, count in zip(steppers, counts, strict=True)])
    seconds = 1e6 * np.array(seconds) / len(atoms)
    search, steps = seconds[:, 2:].sum(axis=1), seconds[:, 0] - seconds[:, 2:].sum(axis=1)
    return {
        "step": np.median(steps),
        "reference_step": np.median(seconds[:, 1]),
        "ratio": np.median(steps / seconds[:, 1]),  # of timings that follow each other: the load of the machine changes
        "search": np.median(search),
        "n_atoms": len(atoms),
        "n_timings": len(seconds),
    }


def timed(steps, count):
    """Return the processor time of one call, after one that brings its data into the caches."""
    if count > 1:
        steps(1)
    start = time.process_time()
    steps(count)
    return (time.process_time() - start) / count


def calls_per_block(steps):
    """Return how many calls take `BLOCK` seconds; whatever is compiled is compiled here."""
    steps(2)
    start = time.process_time()
    steps(1)
    return max(1, round(BLOCK / max(time.process_time() - start, 1e-6)))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["fit", "judge"])
    parser.add_argument("module")
    parser.add_argument("setting")
    parser.add_argument("results", type=Path)
    parser.add_argument("answer", type=Path)
    parser.add_argument("--set", type=Path, help="folder with train.xyz.gz and test.xyz.gz; bundled silicon without")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args(arguments)
    code = load_code(options.module)
    setting = code.settings(options.set is None)[options.setting]
    found = (fit if options.what == "fit" else judge)(code, options.setting, setting, options)
    options.answer.write_text(json.dumps(found, indent=1, default=float))


if __name__ == "__main__":
    main()
