"""linmlp: presets, numbers of functions selected from a pool with order 4, and some of them in single precision.

A step is the evaluation of a list of neighbors with the calculator's skin: energies, forces, stress, baselines.
"""

import importlib

from benchmarks.peers.contract import Prediction, Setting, repeated

NAME = "linmlp"
PACKAGES = ("linmlp",)
MODULES = ("linmlp",)
PRESETS = ("balanced", "fast", "accurate")
SIZES = (50, 100, 200, 400, 800)
SMALL = {"cutoff": 4.0, "order": 2, "max_degree": (6, 4)}
FIXED = {"alpha": 1e-6, "energy_weight": 1.0, "fill_holes": False}
"""What makes the potentials of the tiny mode small and fast to fit."""


def settings(tiny):
    """Return presets (the reference first) and sizes; all sizes come from one fit."""
    if tiny:
        return {
            "balanced": Setting({"is_small": True}),
            "8 selected": Setting({"sizes": (4, 8), "size": 8}, "selected"),
        }
    found = {name: Setting({"preset": name}) for name in PRESETS}
    for size in SIZES:
        found[f"{size} selected"] = Setting({"sizes": SIZES, "size": size}, "selected", "one fit for all selected")
    for name in ("balanced", "accurate"):
        found[f"{name}, single"] = Setting({"preset": name, "precision": "single"}, name)
    for size in (100, 400, 800):
        options = {"sizes": SIZES, "size": size, "precision": "single"}
        found[f"{size} selected, single"] = Setting(options, "selected", "one fit for all selected")
    return found


def fit(setting, train, folder, others):
    from linmlp import ACE, LinearPotential

    options = setting.options
    if "sizes" in options:
        from linmlp.evaluation.front import compute_front

        pool = LinearPotential(ACE(**SMALL), **FIXED) if options["sizes"] != SIZES else None
        # One set of degrees has to compete, too; the smallest costs nothing.
        front = compute_front(train, pool, sizes=options["sizes"], degrees=[(4,)])
        for point in front.points:
            if point.name.endswith("selected"):
                front.fit(point).save(folder / f"{point.name.split()[0]}.linmlp", system=False)
        return
    potential = (
        LinearPotential(ACE(**SMALL), **FIXED)
        if "is_small" in options
        else LinearPotential(ACE.preset(options["preset"]))
    )
    potential.fit(train).save(folder / "potential.linmlp", system=False)


def load(setting, folder, others):
    return OwnPotential(folder, **setting.options)


class OwnPotential:
    def __init__(self, folder, size=None, precision="double", **_):
        linmlp = importlib.import_module("linmlp")
        self.model = linmlp.load(folder / ("potential.linmlp" if size is None else f"{size}.linmlp"))
        self.n_parameters = int((self.model.coef_ != 0).sum())
        self.predictor = self.model.calculator(precision=precision).predictor

    def predict(self, atoms):
        found = self.predictor(atoms)
        return Prediction(found.energy, found.forces, found.stress)

    def stepper(self, atoms):
        from linmlp.evaluation.front.cost import SKIN
        from linmlp.neighbors import find_pairs

        pairs = find_pairs(atoms, self.predictor.cutoff + SKIN)
        return repeated(lambda: self.predictor.compute(pairs))

    def search_stepper(self, atoms):
        return None
