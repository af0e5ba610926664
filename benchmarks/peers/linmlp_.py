"""linmlp: the default, presets, numbers of functions selected from a pool with order 4, some in single precision.

A step is the evaluation of a list of neighbors with the calculator's skin: energies, forces, stress, baselines.
"""

import importlib

from benchmarks.peers.contract import Prediction, Setting, repeated

NAME = "linmlp"
PACKAGES = ("linmlp",)
MODULES = ("linmlp",)
PRESETS = ("balanced", "fast", "accurate")
SELECTED = ("200 thrifty", "400 thrifty", "200 frugal", "400 frugal", "1000 frugal", "700 selected")
"""Points of a front: how many functions, and what a function is selected by (see `linmlp front`)."""
SMALL = {"cutoff": 4.0, "order": 2, "max_degree": (6, 4)}
FIXED = {"alpha": 1e-6, "energy_weight": 1.0, "fill_holes": False}
"""What makes the potentials of the tiny mode small and fast to fit."""


def settings(tiny):
    """Return presets (the reference first), the default, and selections; all of these come from one fit."""
    if tiny:
        return {
            "balanced": Setting({"is_small": True}),
            "8 selected": Setting({"points": ("4 selected", "8 selected"), "point": "8 selected"}, "selected"),
        }
    found = {name: Setting({"preset": name}) for name in PRESETS} | {"default": Setting({"preset": None})}
    found["balanced, nothing chosen"] = Setting({"preset": "balanced", "is_given": True})
    for point in SELECTED:
        found[point] = Setting({"points": SELECTED, "point": point}, "selected", "one fit for all selections")
    for name in ("balanced", "default"):
        options = {"preset": None if name == "default" else name, "precision": "single"}
        found[f"{name}, single"] = Setting(options, name)
    for point in ("200 frugal", "1000 frugal"):
        options = {"points": SELECTED, "point": point, "precision": "single"}
        found[f"{point}, single"] = Setting(options, "selected", "one fit for all selections")
    return found


def fit(setting, train, folder, others):
    from linmlp import ACE, LinearPotential

    options = setting.options
    if "points" in options:
        from linmlp.evaluation.front import compute_front

        pool = LinearPotential(ACE(**SMALL), **FIXED) if options["points"] != SELECTED else None
        sizes = sorted({int(point.split()[0]) for point in options["points"]})
        # One set of degrees has to compete, too; the smallest costs nothing.
        front = compute_front(train, pool, sizes=sizes, degrees=[(4,)])
        for point in front.points:
            if point.name in options["points"]:
                front.fit(point).save(folder / file_name(point.name), system=False)
        return
    if "is_small" in options:
        potential = LinearPotential(ACE(**SMALL), **FIXED)
    elif "is_given" in options:
        potential = with_little_choice(train)
    else:
        potential = LinearPotential(None if options["preset"] is None else ACE.preset(options["preset"]))
    potential.fit(train).save(folder / "potential.linmlp", system=False)


def with_little_choice(train):
    """Return a potential with as little to choose as pypolymlp's default leaves: the ridge strength alone.

    The cutoff is that of pypolymlp's default, loss weights are those of the rule, and nothing is run hot.
    """
    from linmlp import ACE, LinearPotential
    from linmlp.structures import read_labels
    from linmlp.system import LossWeights

    weights = LossWeights.from_labels(read_labels(train), energy_per="atom")
    numbers = {f"{kind}_weight": getattr(weights, kind) for kind in ("energy", "force", "stress")}
    return LinearPotential(ACE.preset("balanced", 6.0), **numbers, energy_per="atom", fill_holes=False, form="gram")


def file_name(point):
    """Return the name of the model file of a selection."""
    return f"{point.replace(' ', '-')}.linmlp"


def load(setting, folder, others):
    return OwnPotential(folder, **setting.options)


class OwnPotential:
    def __init__(self, folder, point=None, precision="double", **_):
        linmlp = importlib.import_module("linmlp")
        self.model = linmlp.load(folder / ("potential.linmlp" if point is None else file_name(point)))
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
