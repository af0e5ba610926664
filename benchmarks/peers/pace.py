"""ML-PACE, what LAMMPS runs behind `pair_style pace`, in python-ace's build, on potentials of linmlp.

Its own fits need tensorflow and minutes to hours; here it evaluates what linmlp wrote for it (`write_yace`), so that
accuracy is the same by construction. A step is its faster of two evaluators ("recursive", LAMMPS's default, and
"product") on a list of neighbors made before, energies and forces.
"""

import numpy as np

from benchmarks.peers.contract import Prediction, Setting, other_folder, repeated
from benchmarks.peers.linmlp_ import file_name

NAME = "ML-PACE"
PACKAGES = ("python-ace",)
MODULES = ("linmlp.export",)


def settings(tiny):
    if tiny:
        return {"of linmlp balanced": Setting({"fit": "balanced"})}
    found = {f"of linmlp {name}": Setting({"fit": name}) for name in ("fast", "balanced", "default")}
    for point in ("200 frugal", "1000 frugal"):
        found[f"of linmlp {point}"] = Setting({"fit": "selected", "point": point})
    return found


def fit(setting, train, folder, others):
    """Export; the time of the fit is that of linmlp and stands there."""
    from linmlp import load as load_model
    from linmlp.export import write_yace

    own = setting.options
    place = other_folder(others, "linmlp", own["fit"])
    model = load_model(place / (file_name(own["point"]) if "point" in own else "potential.linmlp"))
    np.save(folder / "n_parameters.npy", np.count_nonzero(model.coef_))
    write_yace(model, folder / "potential.yace", overwrite=True)


def load(setting, folder, others):
    return Pace(folder)


class Pace:
    def __init__(self, folder):
        self.path = str(folder / "potential.yace")
        self.n_parameters = int(np.load(folder / "n_parameters.npy"))
        self.calculator = self.make(recursive=False)

    def make(self, recursive):
        import pyace

        options = {"recursive_evaluator": True, "recursive": True} if recursive else {}
        return pyace.PyACECalculator(self.path, **options)

    def predict(self, atoms):
        atoms = atoms.copy()
        atoms.calc = self.calculator
        return Prediction(atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress())

    def stepper(self, atoms):
        from benchmarks.peers.work import calls_per_block, timed

        steppers = []
        for recursive in (True, False):
            calculator = self.make(recursive)
            environment = calculator.get_atomic_env(atoms.copy())
            steppers.append(repeated(lambda c=calculator, e=environment: c.ace.compute(e)))
        return min(steppers, key=lambda steps: np.median([timed(steps, calls_per_block(steps)) for _ in range(3)]))

    def search_stepper(self, atoms):
        return None
