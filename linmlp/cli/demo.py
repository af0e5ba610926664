"""`linmlp demo`: the main job from end to end on the bundled silicon data."""

import time
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet
from rich.console import Console

from linmlp.cli.console import ConsoleReporter
from linmlp.datasets import load_silicon
from linmlp.potentials import LinearPotential, load
from linmlp.potentials.model_file import check_writable
from linmlp.potentials.reporting import reporting_to
from linmlp.units import FloatArray

TEMPERATURE = 600.0
N_STEPS = 400


def run_demo(folder: Path, console: Console) -> None:
    """Fit, test, run MD and draw, and say what happens.

    Parameters
    ----------
    folder : Path
        Where the model and the picture are written.
    console : Console
        Where sentences go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model_file, picture = folder / "silicon.linmlp", folder / "silicon.png"
    check_writable(model_file)
    start = time.perf_counter()
    train, test = load_silicon()
    console.print(f"Silicon: {len(train)} training and {len(test)} test structures from DFT, shipped with linmlp\n")
    with ConsoleReporter(console) as reporter, reporting_to(reporter):
        LinearPotential().fit(train).save(model_file)
    model = load(model_file)
    console.print(model.describe() + "\n\n" + model.describe_cross_validation())
    console.print(f"\nErrors on structures that were not trained on\n{model.evaluate(test)}")
    times, energies, per_step = run_md(model)
    console.print(
        f"\nMD: {N_STEPS} steps of 1 fs, 216 atoms at {TEMPERATURE:.0f} K, "
        f"{per_step * 1e6 / 216:.1f} µs per atom and step; "
        f"total energy kept within {1e3 * np.ptp(energies) / 216:.3f} meV/atom"
    )
    draw(model, test, times, energies, picture)
    console.print(f"\nwrote {model_file} and {picture} ({time.perf_counter() - start:.0f} s in all)")
    console.print(f"next: linmlp info {model_file}; linmlp fit your_data.xyz --test your_test.xyz -o your_model.linmlp")


def run_md(model: LinearPotential) -> tuple[FloatArray, FloatArray, float]:
    """Return times (ps) and total energies (eV) of a short NVE run, and the wall time of a step in s."""
    atoms = bulk("Si", cubic=True).repeat(3)
    atoms.calc = model.calculator()
    thermalize_momenta(
        atoms, temperature_K=2 * TEMPERATURE, rng=np.random.default_rng(0)
    )  # half of it goes into the springs
    Stationary(atoms)
    md = VelocityVerlet(atoms, timestep=1.0 * units.fs)
    energies: list[float] = []
    md.attach(lambda: energies.append(atoms.get_total_energy()), interval=5)
    md.run(5)
    start = time.perf_counter()
    md.run(N_STEPS - 5)
    per_step = (time.perf_counter() - start) / (N_STEPS - 5)
    return np.linspace(0, N_STEPS * 1e-3, len(energies)), np.array(energies), per_step


def draw(model: LinearPotential, test: list[Atoms], times: FloatArray, energies: FloatArray, path: Path) -> None:
    """Draw forces against DFT, energy against volume, and the total energy of the MD run.

    Parameters
    ----------
    model : LinearPotential
        Fitted potential.
    test : list of ase.Atoms
        Labelled structures.
    times, energies : ndarray of shape (n_samples,)
        Total energies (eV) of an MD run over time (ps).
    path : Path
        Picture to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    parity, volume, md = figure.subplots(1, 3)
    reference = np.concatenate([a.get_forces(apply_constraint=False).ravel() for a in test])
    predicted = np.concatenate([f.ravel() for f in model.predict_forces(test)])
    limits = np.array([reference.min(), reference.max()])
    parity.plot(limits, limits, color="0.7", linewidth=1)
    parity.plot(reference, predicted, ".", markersize=3)
    error = model.evaluate(test).to_dict()["total"]["force_mae"]
    parity.set(title=f"forces, test structures (MAE {error:.3f} eV/Å)", xlabel="DFT (eV/Å)", ylabel="linmlp (eV/Å)")

    lengths = np.linspace(5.05, 5.9, 60)
    cells = [bulk("Si", a=a, cubic=True) for a in lengths]
    curve = model.predict(cells) / 8
    diamonds = [a for a in load_silicon()[0] if a.info["config_type"] == "diamond"]
    volume.plot(lengths**3 / 8, curve - curve.min(), label="linmlp")
    points = [(a.get_volume() / len(a), a.get_potential_energy() / len(a) - curve.min()) for a in diamonds]
    if points:
        volume.plot(*np.array(points).T, "o", markersize=4, fillstyle="none", label="DFT, diamond")
    volume.set(title="energy against volume", xlabel="volume (Å³/atom)", ylabel="energy (eV/atom)")
    volume.set_xlim(16, 26)
    volume.set_ylim(-0.02, 0.35)
    volume.legend()

    md.plot(times, 1e3 * (energies - energies[0]) / 216)
    md.set(title="NVE, 216 atoms", xlabel="time (ps)", ylabel="total energy, change (meV/atom)")
    spread = max(0.05, 2 * 1e3 * np.ptp(energies) / 216)
    md.set_ylim(-spread, spread)
    figure.savefig(path, dpi=130)
