"""ace-jax: linear ACE in JAX on the CPU, order 3, Bayesian regression; sizes by total degree.

Loss weights are those of its own documentation of ACEfit (energy 30, forces 1, virial 1); noise and prior are chosen
by the evidence. A step is its ASE calculator in double precision with its own Verlet skin.
"""

import numpy as np
from ase.io import write

from benchmarks.peers.contract import Prediction, Setting, repeated

NAME = "ace-jax"
PACKAGES = ("ace-jax",)
MODULES = ("ace_jax", "ace_jax.cli")
WEIGHTS = '{"default": {"E": 30.0, "F": 1.0, "V": 1.0}}'


def settings(tiny):
    if tiny:
        return {"degree 4": Setting({"degree": 4, "order": 2})}
    found = {f"degree {degree}": Setting({"degree": degree, "order": 3}) for degree in (10, 14)}
    return found | {"degree 18": Setting({"degree": 18, "order": 3}, is_slow=True)}


def fit(setting, train, folder, others):
    from ace_jax.cli import main

    plain = []
    for atoms in train:
        copy = atoms.copy()
        copy.info = {key: atoms.info[key] for key in ("config_type",) if key in atoms.info}
        copy.calc = atoms.calc
        plain.append(copy)
    path = folder / "train.xyz"
    write(path, plain, format="extxyz")
    write(folder / "few.xyz", plain[:2], format="extxyz")  # else it judges itself on all it was fitted to
    own = setting.options
    arguments = ["fit", "--order", str(own["order"]), "--max-degree", str(own["degree"]), "--train", str(path)]
    arguments += ["--test", str(folder / "few.xyz")]
    arguments += ["--e0", "prefit", "--opt", "lbfgs", "--weights", WEIGHTS, "--out", str(folder / "fit")]
    arguments += ["--energy-key", "energy", "--force-key", "forces", "--stress-key", "stress"]
    code = main(arguments)
    if code:
        raise RuntimeError(f"ace-jax ended with {code}")


def load(setting, folder, others):
    return AceJax(folder)


class AceJax:
    def __init__(self, folder):
        import jax

        jax.config.update("jax_enable_x64", True)
        from ace_jax import ACECalculator

        path = folder / "fit" / "model.npz"
        with np.load(path, allow_pickle=False) as file:
            self.n_parameters = int(file["WB"].size + file["Wpair"].size)
        self.calculator = ACECalculator(str(path))

    def predict(self, atoms):
        found = self.calculate(atoms)
        return Prediction(found["energy"], np.asarray(found["forces"]), np.asarray(found["stress"]))

    def calculate(self, atoms):
        self.calculator.calculate(atoms, ["energy", "forces", "stress"])
        return self.calculator.results

    def stepper(self, atoms):
        return repeated(lambda: np.asarray(self.calculate(atoms)["forces"]))

    def search_stepper(self, atoms):
        return None
