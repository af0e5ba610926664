"""Rows one after another, each fit and each judgement in a process of its own with one thread; resumable."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.peers.contract import MODULES, REFERENCE, folder_name, load_code, missing_packages

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "BLIS_NUM_THREADS")
ROOT = Path(__file__).parents[2]


def one_thread():
    """Return the environment of a process with one thread."""
    environment = dict(os.environ) | dict.fromkeys(THREADS, "1")
    environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    return environment


def run_child(what, module, setting, results, answer, folder, seconds):
    """Run one process; return what it says with its processor seconds, or {"failed": why}."""
    answer.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.peers.work", what, module, setting, str(results), str(answer)]
    command += ["--seconds", str(seconds)] + ([] if folder is None else ["--set", str(folder)])
    log = answer.with_suffix(".log")
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=one_thread(), cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not answer.exists():
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return {"failed": lines[-1] if lines else f"exit code {process.returncode}"}
    return json.loads(answer.read_text()) | {"processor_seconds": usage.ru_utime + usage.ru_stime}


def rows_of(modules, tiny):
    """Return (code, setting name, setting) of every row, the reference first, and sentences on what is left out."""
    rows, left_out = [], []
    for name in modules:
        code = load_code(name)
        missing = missing_packages(code)
        if missing:
            left_out.append(f"{code.NAME} is left out: {' and '.join(missing)} not installed")
            continue
        rows += [(name, code, setting_name, setting) for setting_name, setting in code.settings(tiny).items()]
    rows.sort(key=lambda row: (row[1].NAME, row[2]) != REFERENCE)
    return rows, left_out


def known_rows(found, tiny):
    """Return the results of rows that still have a setting, in the order of codes and settings."""
    codes = [load_code(name) for name in MODULES]
    labels = [f"{code.NAME} {setting}" for code in codes for setting in code.settings(tiny)]
    return {label: found[label] for label in labels if label in found}


def wanted(code, name, setting, options):
    """Return whether a row was asked for. The reference always is; slow ones only by name."""
    label = f"{code.NAME} {name}".lower()
    if (code.NAME, name) == REFERENCE:
        return True
    if any(word.lower() in label for word in options.skip):
        return False
    if options.only:
        return any(word.lower() in label for word in options.only)
    return options.slow or not setting.is_slow


def run_set(folder, results, options, say=print):
    """Run the rows of a set that have no result yet; return all results, {label: row}, and what is left out."""
    results.mkdir(parents=True, exist_ok=True)
    path = results / "rows.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    rows, left_out = rows_of(MODULES, folder is None)
    for module, code, name, setting in rows:
        label = f"{code.NAME} {name}"
        if not wanted(code, name, setting, options):
            continue
        fitted = fit_once(module, code, name, setting, folder, results, options, say)
        if "failed" in fitted:
            left_out.append(f"{label} is left out: its fit failed: {fitted['failed']}")
            continue
        if label in found and not options.retime and found[label].get("fit") == fitted:
            continue
        started = time.perf_counter()
        own = results / folder_name(code.NAME, name)
        own.mkdir(exist_ok=True)
        judged = run_child("judge", module, name, results, own / "judged.json", folder, options.seconds)
        if "failed" in judged:
            left_out.append(f"{label} is left out: {judged['failed']}")
            continue
        judged.pop("processor_seconds")
        about = {"code": code.NAME, "setting": name, "note": setting.note, "is_published": setting.is_published}
        found[label] = about | {"fit": fitted} | judged
        path.write_text(json.dumps(found, indent=1))
        took, mae = time.perf_counter() - started, judged["errors"]["force_mae"]
        told = f"force MAE {mae:.4f} eV/Å, {judged['step']:.2f} µs/atom, {judged['ratio']:.2f} times the reference"
        say(f"   {label}: {told} ({took:.0f} s)", flush=True)
    return known_rows(found, folder is None), left_out


def fit_once(module, code, name, setting, folder, results, options, say):
    """Return the processor seconds of a fit, from its folder if it was made before."""
    place = results / folder_name(code.NAME, setting.fit or name)
    answer = place / "fit.json"
    if answer.exists() and not options.refit:
        return json.loads(answer.read_text())
    if setting.fit and setting.fit in options.refitted:
        return json.loads(answer.read_text())
    place.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    found = run_child("fit", module, name, results, place / "fitting.json", folder, options.seconds)
    if "failed" not in found:
        answer.write_text(json.dumps(found, indent=1))
        options.refitted.add(setting.fit)
        took = time.perf_counter() - started
        say(
            f"   fitted {code.NAME} {setting.fit or name}: {found['processor_seconds']:.1f} CPU s ({took:.0f} s)",
            flush=True,
        )
    return found
