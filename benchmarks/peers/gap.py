"""GAP: SOAP kernels fitted by gap_fit of quippy-ase, evaluated by QUIP.

The descriptor is that of the notebooks of Zuo et al. (2020): l_max 8, n_max 8, atom_sigma 0.5, zeta 4. Their 200 sparse
points with sigmas of 0.0005 and 0.1 leave twice the published error of forces in silicon (0.134 eV/Å); hence more
points, and half that sigma of forces. QUIP searches for neighbors in every call, less than a hundredth of its time,
which stays in the time.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from ase.io import write

from benchmarks.peers.contract import Prediction, Setting, repeated

NAME = "GAP"
PACKAGES = ("quippy-ase",)
MODULES = ()
CUTOFF_IN_DISTANCES = 2.3
"""Cutoff over the distance of nearest neighbors: 5.4 Å for silicon."""


def settings(tiny):
    if tiny:
        return {"10 sparse": Setting({"n_sparse": 10, "n_max": 3, "l_max": 2})}
    return {
        "500 sparse": Setting({"n_sparse": 500, "n_max": 8, "l_max": 8}, is_slow=True),
        "1000 sparse": Setting({"n_sparse": 1000, "n_max": 8, "l_max": 8}, is_slow=True),
    }


def gap_fit():
    """Return the path of the program, beside this Python or on the path."""
    beside = Path(sys.executable).with_name("gap_fit")
    path = str(beside) if beside.exists() else shutil.which("gap_fit")
    if path is None:
        raise FileNotFoundError("gap_fit is not beside this Python; it comes with quippy-ase")
    return path


def fit(setting, train, folder, others):
    from benchmarks.peers.snap import nearest_distance

    element = train[0].symbols[0]
    plain = []
    for atoms in train:
        copy = atoms.copy()
        copy.info = {"gap_energy": atoms.get_potential_energy()}
        copy.info["gap_virial"] = -atoms.get_volume() * atoms.get_stress(voigt=False)
        copy.arrays["gap_forces"] = atoms.get_forces()
        plain.append(copy)
    write(folder / "train.xyz", plain, format="extxyz")
    # Energies relative to their mean per atom: the sets hold no isolated atoms.
    e0 = float(np.mean([atoms.get_potential_energy() / len(atoms) for atoms in train]))
    cutoff = round(CUTOFF_IN_DISTANCES * nearest_distance(train), 2)
    own = setting.options
    soap = (
        f"soap l_max={own['l_max']} n_max={own['n_max']} atom_sigma=0.5 zeta=4 cutoff={cutoff} "
        f"cutoff_transition_width=1.0 n_sparse={own['n_sparse']} delta=1.0 covariance_type=dot_product "
        "sparse_method=cur_points"
    )
    command = [
        gap_fit(), "at_file=train.xyz", f"gap={{{soap}}}", f"e0={{{element}:{e0}}}",
        "default_sigma={0.001 0.05 0.05 0.0}", "energy_parameter_name=gap_energy", "force_parameter_name=gap_forces",
        "virial_parameter_name=gap_virial", "sparse_jitter=1e-8", "gp_file=gap.xml",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"gap_fit failed: {(done.stdout + done.stderr)[-300:]}")
    (folder / "model.json").write_text(json.dumps({"n_parameters": own["n_sparse"]}))


def load(setting, folder, others):
    return Gap(folder)


class Gap:
    def __init__(self, folder):
        from quippy.potential import Potential

        self.calculator = Potential(param_filename=str(folder / "gap.xml"))
        self.n_parameters = json.loads((folder / "model.json").read_text())["n_parameters"]

    def predict(self, atoms):
        self.calculator.calculate(atoms.copy(), ["energy", "forces", "stress"])
        results = self.calculator.results
        return Prediction(results["energy"], np.asarray(results["forces"]), np.asarray(results["stress"]))

    def stepper(self, atoms):
        rng = np.random.default_rng(0)
        atoms = atoms.copy()

        def step():  # it keeps results of the same positions
            atoms.positions += rng.normal(0.0, 1e-5, atoms.positions.shape)
            self.calculator.calculate(atoms, ["energy", "forces", "stress"])

        return repeated(step)

    def search_stepper(self, atoms):
        return None
