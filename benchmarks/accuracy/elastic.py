"""Elastic constants of default fits against the same DFT that they were fitted to.

Like is compared with like. For the sets of Zuo et al. (2020) the DFT constants are regressed from the stresses of the
set's own `Elastic` group, whose ions are clamped (energy of fourth order in the Green strain, norm of the strain up to
0.1); the potential is evaluated on exactly the same structures and regressed in the same way; its constants from small
strains at its own cell stand beside it, with clamped and with relaxed ions. For the bundled sets DFT was run at small
strains with the settings of the set (`elastic_dft.py`; these structures are in no training set), with clamped and with
relaxed ions.

What a fit chooses (cutoff, weights, ridge strength) depends on its folds: figures are means over fold seeds, with those
of each seed beside them.

    python benchmarks/accuracy/elastic.py
    python benchmarks/accuracy/elastic.py ../shared/data/zuo_Si ../shared/data/zuo_Mo ../shared/data/zuo_Li
"""

import argparse
from pathlib import Path

import numpy as np
from ase.io import read

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.evaluation.mechanics import elastic_constants, regress_elastic
from linmlp.evaluation.mechanics.strains import piola_stress
from linmlp.evaluation.mechanics.symmetry import conventional_cell
from linmlp.units import EV_PER_A3_IN_GPA

NAMES = ("C11", "C12", "C44")
BAR = 5.0
"""Per cent that a constant may be off."""

HERE = Path(__file__).parent
BUNDLED = {"silicon": load_silicon, "lithium_chloride": load_lithium_chloride}


def unstrained(structures):
    """Return the structure with the least stress among those whose cell is most cubic."""
    skew = [np.ptp(a.cell.lengths()) + np.abs(a.cell.angles() - 90.0).max() for a in structures]
    cubic = [a for a, s in zip(structures, skew, strict=True) if s < 1e-6]
    return min(cubic, key=lambda a: (-len(a), np.abs(a.get_stress()).max()))


def against_own_group(name, train, test, seeds, stress_factor):
    """Compare on the strained structures of a set, most of which are in the training set."""
    group = [a for a in train + test if a.info["config_type"] == "Elastic"]
    ground = conventional_cell(unstrained(group), tolerance=0.2)  # of Mo, the atoms of which do not sit at rest
    dft = {setting: regress_elastic(group, ground, **setting) for setting in SETTINGS}
    table = Table(name)
    for setting in SETTINGS:
        table.dft(f"clamped ions, {setting}, {dft[setting].n_structures} structures", dft[setting].constants)
    for seed in range(seeds):
        model = fit(train, seed, stress_factor)
        for setting in SETTINGS:
            own = regress_elastic(group, ground, model, **setting)
            table.add(f"the same structures, {setting}", own.constants, dft[setting].constants)
        table.finite(model, ground, dft[SETTINGS[0]].constants, None)
        off = model.predict_stress(group) - [atoms.get_stress() for atoms in group]
        table.notes[-1] += f", stress RMSE on these structures {EV_PER_A3_IN_GPA * np.sqrt(np.mean(off**2)):.3f} GPa"
    table.show()


def against_small_strains(name, file, train, seeds, stress_factor, **settings):
    """Compare with DFT at small strains, by differences between the same structures for both."""
    structures = read(HERE / file, ":")
    clamped, relaxed = (small_strain_constants(structures, ions) for ions in ("clamped", "relaxed"))
    table = Table(name)
    table.dft("clamped ions, strains of 0.01", clamped)
    table.dft("relaxed ions, strains of 0.01", relaxed)
    for seed in range(seeds):
        model = fit(train, seed, stress_factor, **settings)
        own, calculator = [a.copy() for a in structures], model.calculator()
        for atoms in own:
            atoms.calc = calculator
        table.add("the same structures, clamped ions", small_strain_constants(own, "clamped"), clamped)
        table.finite(model, structures[0], clamped, relaxed)
    table.show()


class Settings(dict):
    """Settings of a regression, which name themselves."""

    def __hash__(self):
        return hash(tuple(self.items()))

    def __str__(self):
        return f"order {self['order']}, strains up to {self['max_strain']}"


SETTINGS = (Settings(order=4, max_strain=0.1), Settings(order=3, max_strain=0.05))


class Table:
    """Constants of DFT and of the fits of several fold seeds, with their mean."""

    def __init__(self, name):
        self.rows, self.notes = {}, []
        print(f"\n== {name}")

    def dft(self, title, constants):
        told = [f"{n} {constants[n][0]:.2f}" + (f" ± {constants[n][1]:.2f}" if constants[n][1] else "") for n in NAMES]
        print(f"DFT, {title}: {', '.join(told)} GPa")

    def add(self, title, constants, dft=None):
        values = [constants[n][0] for n in NAMES]
        self.rows.setdefault(title, (None if dft is None else [dft[n][0] for n in NAMES], []))[1].append(values)

    def finite(self, model, ground, clamped, relaxed):
        """Add the potential's own constants at its relaxed cell."""
        for title, ions, dft in (("clamped", False, clamped), ("relaxed", True, relaxed)):
            own = elastic_constants(model, ground, relax_ions=ions, energies=False)
            self.add(f"at its own cell, {title} ions", {n: (own.tensor.constants[n], 0.0) for n in NAMES}, dft)
        errors = model.cv_errors_
        self.notes.append(
            f"cutoff {model.descriptor_.cutoff_:.2f} Å, stress weight {model.stress_weight_:.3g}, RMSE in "
            f"cross-validation {errors['force_rmse']:.4f} eV/Å and {errors['stress_rmse']:.3f} GPa, volume "
            f"{own.volume:.3f} Å³/atom, {'stable' if own.is_stable else 'UNSTABLE'}"
        )

    def show(self):
        for title, (dft, values) in self.rows.items():
            told = [f"{name} {mean:.2f}" for name, mean in zip(NAMES, np.mean(values, axis=0), strict=True)]
            if dft is not None:
                off = 100.0 * (np.array(values) / dft - 1.0)
                each = ["; ".join(f"{x:+.1f}" for x in column) for column in off.T]
                beyond = [f", {n} beyond {BAR:g} %" if n else "" for n in (np.abs(off) > BAR).sum(axis=0)]
                told = [
                    f"{text} ({mean:+.1f} %; seeds {singles}{many})"
                    for text, mean, singles, many in zip(told, off.mean(axis=0), each, beyond, strict=True)
                ]
            print(f"potential, {title}, mean of {len(values)}: {', '.join(told)}")
        print("\n".join(f"   seed {seed}: {note}" for seed, note in enumerate(self.notes)))


def fit(train, seed, stress_factor, **settings):
    """Return a default fit, or one with another stress weight and everything else as the default fit has chosen."""
    model = LinearPotential(ACE(**settings), random_state=seed).fit(train)
    if stress_factor == 1.0:
        return model
    weights = {
        "energy_weight": model.energy_weight_,
        "energy_per": model.energy_per_,
        "stress_weight": stress_factor * model.stress_weight_,
    }
    descriptor = ACE(**{"cutoff": model.descriptor_.cutoff_, **settings})
    return LinearPotential(descriptor, random_state=seed, **weights).fit(train)


def small_strain_constants(structures, ions):
    """Return constants of a cubic crystal from central differences; C44 is an odd function of the shear."""
    by = {
        (a.info["component"], a.info["size"], a.info["ions"]): EV_PER_A3_IN_GPA * piola(a, structures[0])
        for a in structures
    }
    step = 0.01
    plus, minus = by[1, step, "clamped"], by[1, -step, "clamped"]
    axial = (plus - minus) / (2.0 * step)  # ions stay where they are by symmetry
    return {"C11": (axial[0], 0.0), "C12": (axial[1:3].mean(), 0.0), "C44": (by[4, step, ions][3] / step, 0.0)}


def piola(atoms, ground):
    """Return the second Piola-Kirchhoff stress."""
    return piola_stress(np.linalg.solve(ground.cell.array, atoms.cell.array).T, atoms.get_stress())


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    help_text = "bundled sets by name, and folders with train.xyz.gz and test.xyz.gz"
    parser.add_argument("sets", nargs="*", default=list(BUNDLED), help=help_text)
    parser.add_argument("--seeds", type=int, default=3, help="number of fold seeds")
    factor_text = "fit again with this times the stress weight that the fit has chosen"
    parser.add_argument("--stress-factor", type=float, default=1.0, help=factor_text)
    parser.add_argument("--tiny", action="store_true", help="few functions of the bundled silicon, to see it run")
    options = parser.parse_args(arguments)
    if options.tiny:
        train, _ = load_silicon()
        small = {"cutoff": 5.0, "order": 2, "max_degree": (8, 6)}
        against_small_strains("bundled silicon", "elastic_silicon.xyz", train[::2], 1, 1.0, **small)
        return
    how = options.seeds, options.stress_factor
    for name in options.sets:
        if name in BUNDLED:
            against_small_strains(f"bundled {name}", f"elastic_{name}.xyz", BUNDLED[name]()[0], *how)
        else:
            train, test = (read(Path(name) / f"{part}.xyz.gz", ":") for part in ("train", "test"))
            against_own_group(Path(name).name, train, test, *how)


if __name__ == "__main__":
    main()
