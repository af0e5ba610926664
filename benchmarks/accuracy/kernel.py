"""SOAP rows and kernel potentials beside dscribe, featomic and gap_fit (quippy), on the same structures in one run.

Competitors that are not installed are named and left out (`pip install dscribe featomic quippy-ase`). Times are
processor times of one thread, compilation excluded.

    python -m benchmarks.accuracy.kernel rows ../shared/data/zuo_Si
    python -m benchmarks.accuracy.kernel gap ../shared/data/zuo_Si --cutoff 5.4
    python -m benchmarks.accuracy.kernel cost ../shared/data/zuo_Mo ../shared/data/zuo_Li
"""

import argparse
import importlib.util
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase.io import read, write

from linmlp import ACE, SOAP, LinearPotential, SparseKernelPotential
from linmlp.datasets import load_silicon


def read_part(folder, part):
    return read(folder / f"{part}.xyz.gz", ":")


def seconds_of(call, repeats=3):
    """Return the least processor time of a call, after one that compiles."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def installed(name):
    if importlib.util.find_spec(name) is None:
        print(f"   {name} is not installed: left out")
        return False
    return True


def compare_rows(frames, cutoff=5.0, n_max=8, l_max=6, sigma=0.5):
    """Print the time of values and position gradients per atom."""
    n_atoms = sum(map(len, frames))
    symbol = frames[0].symbols[0]
    soap = SOAP(cutoff, n_max, l_max, sigma).fit(frames)

    def rows():
        for atoms in frames:
            arrays = soap.allocate_rows(len(atoms))
            soap.write_rows(soap.pairs(atoms), *arrays)

    ours = seconds_of(rows)
    print(f"\n== values and gradients of {len(frames)} frames, {n_atoms} atoms, {soap.n_features_out_} functions")
    print(f"   linmlp    {1e6 * ours / n_atoms:9.1f} µs/atom")
    if installed("featomic"):
        from featomic import SoapPowerSpectrum

        theirs = SoapPowerSpectrum(
            cutoff={"radius": cutoff, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
            density={"type": "Gaussian", "width": sigma},
            basis={
                "type": "TensorProduct",
                "max_angular": l_max,
                "radial": {"type": "Gto", "max_radial": n_max - 1},
            },
        )
        few = frames[: max(len(frames) // 10, 1)]
        spent = seconds_of(lambda: [theirs.compute(atoms, gradients=["positions"]) for atoms in few], 2)
        per_atom = spent / sum(map(len, few))
        print(f"   featomic  {1e6 * per_atom:9.1f} µs/atom, {per_atom / (ours / n_atoms):.1f} times linmlp")
    if installed("dscribe"):
        from dscribe.descriptors import SOAP as Dscribe

        # Its derivatives are analytic for structures that are not periodic only: the same atoms without their images.
        clusters = [atoms.copy() for atoms in frames[: max(len(frames) // 20, 1)]]
        for atoms in clusters:
            atoms.pbc = False
        theirs = Dscribe(species=[symbol], r_cut=cutoff, n_max=n_max, l_max=l_max, sigma=sigma, periodic=False)
        spent = seconds_of(lambda: [theirs.derivatives(atoms, method="analytical") for atoms in clusters], 1)

        def same():
            for atoms in clusters:
                arrays = soap.allocate_rows(len(atoms))
                soap.write_rows(soap.pairs(atoms), *arrays)

        own = seconds_of(same)
        n = sum(map(len, clusters))
        print(f"   dscribe   {1e6 * spent / n:9.1f} µs/atom of clusters (linmlp {1e6 * own / n:.1f}), "
              f"{spent / own:.1f} times linmlp")  # fmt: skip


def errors_of(energies, forces, test):
    """Return energy MAE (meV/atom) and force MAE (eV/Å)."""
    energy = [abs(e - a.get_potential_energy()) / len(a) for e, a in zip(energies, test, strict=True)]
    force = np.concatenate([np.abs(f - a.get_forces()).ravel() for f, a in zip(forces, test, strict=True)])
    return 1e3 * np.mean(energy), np.mean(force)


def time_step(calculator, atoms):
    """Return the processor time of energy and forces per atom, µs."""
    rng = np.random.default_rng(0)
    atoms = atoms.copy()
    atoms.calc = calculator

    def step():
        atoms.positions += rng.normal(0.0, 1e-4, atoms.positions.shape)
        atoms.get_forces()

    return 1e6 * seconds_of(step) / len(atoms)


def compare_gap(folder, train, test, cutoff, n_sparse=1000, n_max=8, l_max=8, zeta=4, seeds=1):
    """Print errors, cost of the fit and of a step of a kernel potential and of gap_fit's."""
    large = max(train, key=len)
    print(f"\n== {folder}: n_max {n_max}, l_max {l_max}, {cutoff} Å, zeta {zeta}, {n_sparse} sparse environments")
    start = time.process_time()
    model = SparseKernelPotential(SOAP(cutoff, n_max, l_max), n_sparse, zeta).fit(train)
    spent = time.process_time() - start
    errors = errors_of(model.predict(test), model.predict_forces(test), test)
    step = time_step(model.calculator(), large)
    print(f"   linmlp   energy MAE {errors[0]:.2f} meV/atom, force MAE {errors[1]:.4f} eV/Å, "
          f"fit {spent:.0f} CPU s, step {step:.0f} µs/atom")  # fmt: skip
    if not installed("quippy") or shutil.which("gap_fit", path=str(Path(sys.executable).parent)) is None:
        return
    with tempfile.TemporaryDirectory() as place:
        for atoms in train:
            atoms.info["gap_energy"], atoms.arrays["gap_forces"] = atoms.get_potential_energy(), atoms.get_forces()
            atoms.info["gap_virial"] = (-atoms.get_volume() * atoms.get_stress(voigt=False)).ravel()
        write(Path(place) / "train.xyz", train, format="extxyz", write_results=False)
        e0 = model.e0_[str(large.symbols[0])]
        command = [
            Path(sys.executable).with_name("gap_fit"),
            "at_file=train.xyz",
            f"gap={{soap l_max={l_max} n_max={n_max} atom_sigma=0.5 zeta={zeta} cutoff={cutoff} "
            f"cutoff_transition_width=1.0 n_sparse={n_sparse} delta=1.0 covariance_type=dot_product "
            "sparse_method=cur_points}",
            f"e0={{{large.symbols[0]}:{e0}}}",
            "default_sigma={0.001 0.05 0.05 0.0}",
            "energy_parameter_name=gap_energy",
            "force_parameter_name=gap_forces",
            "virial_parameter_name=gap_virial",
            "sparse_jitter=1e-8",
            "gp_file=gap.xml",
        ]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=place, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            print(f"   gap_fit failed: {(done.stdout + done.stderr)[-300:]}")
            return
        spent_there = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        from quippy.potential import Potential

        calculator = Potential(param_filename=str(Path(place) / "gap.xml"))
        energies, forces = [], []
        for atoms in test:
            moved = atoms.copy()
            moved.calc = calculator
            energies.append(moved.get_potential_energy())
            forces.append(moved.get_forces())
        theirs = errors_of(energies, forces, test)
        step_there = time_step(calculator, large)
    print(f"   gap_fit  energy MAE {theirs[0]:.2f} meV/atom, force MAE {theirs[1]:.4f} eV/Å, "
          f"fit {spent_there:.0f} CPU s, step {step_there:.0f} µs/atom")  # fmt: skip
    print(f"   linmlp's fit is {spent_there / spent:.1f} times cheaper, its step {step_there / step:.1f} times")


SIZES = ((4, 4, 200), (6, 6, 400), (8, 6, 800))
DEGREES = ((12, 8, 6), (16, 14, 11), (18, 16, 13))


def compare_cost(name, train, sizes=SIZES, degrees=DEGREES):
    """Print cross-validation errors and cost of a step of kernel potentials and of linear ACE."""
    large = max(train, key=len)
    print(f"\n== {name}: {len(train)} training structures; errors of 5-fold cross-validation")
    reference = LinearPotential(ACE(), fill_holes=False).fit(train)  # for its cutoff
    cutoff = reference.descriptor_.cutoff_
    potentials = [
        (f"ACE {degree}, {cutoff} Å", LinearPotential(ACE(cutoff, max_degree=degree))) for degree in degrees
    ] + [
        (f"SOAP n_max {n}, l_max {l}, {size} sparse, {cutoff} Å", SparseKernelPotential(SOAP(cutoff, n, l), size))
        for n, l, size in sizes
    ] + [
        (f"kernel on ACE {degrees[0]}, 800 sparse", SparseKernelPotential(ACE(cutoff, max_degree=degrees[0]), 800)),
    ]  # fmt: skip
    for told, potential in potentials:
        start = time.process_time()
        potential.fit(train)
        spent = time.process_time() - start
        cv = potential.cv_errors_
        print(
            f"   {told:48} energy MAE {cv['energy_mae']:7.3f} meV/atom, force RMSE {cv['force_rmse']:.4f} eV/Å, "
            f"step {time_step(potential.calculator(), large):6.1f} µs/atom, fit {spent:.0f} CPU s",
            flush=True,
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["rows", "gap", "cost"])
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz and test.xyz.gz")
    parser.add_argument("--cutoff", type=float, default=5.4, help="Å, of gap")
    parser.add_argument("--tiny", action="store_true", help="few bundled structures, to see it run")
    options = parser.parse_args(arguments)
    if options.tiny:
        train, test = load_silicon()
        if options.what == "rows":
            compare_rows(train[:2], n_max=3, l_max=2)
        elif options.what == "gap":
            compare_gap("bundled silicon", train[:20], test[:4], 4.0, n_sparse=20, n_max=3, l_max=2)
        else:
            compare_cost("bundled silicon", train[:30], ((3, 2, 20),), ((6, 4, 3),))
    for folder in options.sets:
        train, test = read_part(folder, "train"), read_part(folder, "test")
        if options.what == "rows":
            compare_rows(train[:: max(len(train) // 100, 1)][:100])
        elif options.what == "gap":
            compare_gap(folder.name, train, test, options.cutoff)
        else:
            compare_cost(folder.name, train)


if __name__ == "__main__":
    main()
