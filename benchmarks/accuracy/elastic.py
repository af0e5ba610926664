"""Elastic constants of default fits against the same DFT that they were fitted to.

Like is compared with like. For the sets of Zuo et al. (2020) the DFT constants are regressed from the stresses of the
set's own `Elastic` group, whose ions are clamped (energy of fourth order in the Green strain, norm of the strain up to
0.1); the potential is evaluated on exactly the same structures and regressed in the same way; its constants from small
strains at its own cell stand beside it, with clamped and with relaxed ions. For the bundled sets DFT was run at small
strains with the settings of the set (`elastic_dft.py`; these structures are in no training set), with clamped and with
relaxed ions.

    python benchmarks/accuracy/elastic.py ../shared/data/zuo_Si ../shared/data/zuo_Mo ../shared/data/zuo_Li
"""

import argparse
from pathlib import Path

import numpy as np
from ase.io import read

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.evaluation.mechanics import elastic_constants, regress_elastic
from linmlp.evaluation.mechanics.crystal import conventional_cell
from linmlp.evaluation.mechanics.elastic_tensor import piola_stress
from linmlp.units import EV_PER_A3_IN_GPA

NAMES = ("C11", "C12", "C44")
BAR = 5.0
"""Per cent that a constant may be off."""

HERE = Path(__file__).parent


def unstrained(structures):
    """Return the structure with the least stress among those whose cell is most cubic."""
    skew = [np.ptp(a.cell.lengths()) + np.abs(a.cell.angles() - 90.0).max() for a in structures]
    cubic = [a for a, s in zip(structures, skew, strict=True) if s < 1e-6]
    return min(cubic, key=lambda a: (-len(a), np.abs(a.get_stress()).max()))


def show(title, found, dft=None):
    """Print constants, with the differences from DFT where there is one."""
    told = [f"{title:48}"]
    for name in NAMES:
        value, error = found[name]
        told.append(f"{name} {value:7.2f}" + (f" ± {error:.2f}" if error else ""))
        if dft is not None:
            off = 100.0 * (value - dft[name][0]) / dft[name][0]
            told.append(f"({off:+.1f} %{'' if abs(off) <= BAR else ' MISSED'})")
    print("  ".join(told))


def against_own_group(name, train, test, **settings):
    """Compare on the strained structures of a set, which are in the training set."""
    group = [a for a in train + test if a.info["config_type"] == "Elastic"]
    ground = conventional_cell(unstrained(group), tolerance=0.2)  # of Mo, the atoms of which do not sit at rest
    model = LinearPotential(ACE(**settings)).fit(train)
    describe(name, model)
    for order, largest in ((4, 0.1), (3, 0.05)):
        dft = regress_elastic(group, ground, order=order, max_strain=largest)
        own = regress_elastic(group, ground, model, order=order, max_strain=largest)
        print(f" regression of order {order}, strains up to {largest}: {dft.n_structures} structures")
        show("  DFT, clamped ions, regressed", dft.constants)
        show("  potential, the same structures and regression", own.constants, dft.constants)
        if order == 4:
            first = dft
    finite(model, ground, first.constants, None)


def against_small_strains(name, file, train, **settings):
    """Compare with DFT at small strains, by differences between the same two structures for both."""
    dft = read(HERE / file, ":")
    model = LinearPotential(ACE(**settings)).fit(train)
    describe(name, model)
    clamped, relaxed = (small_strain_constants(dft, ions) for ions in ("clamped", "relaxed"))
    own = [a.copy() for a in dft]
    calculator = model.calculator()
    for atoms in own:
        atoms.calc = calculator
    show("  DFT, clamped ions, strains of 0.01", clamped)
    show("  potential, the same structures", small_strain_constants(own, "clamped"), clamped)
    show("  DFT, relaxed ions", relaxed)
    finite(model, dft[0], clamped, relaxed)


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


def finite(model, ground, clamped, relaxed):
    """Print the potential's own constants at its relaxed cell."""
    for title, ions, dft in (("clamped", False, clamped), ("relaxed", True, relaxed)):
        own = elastic_constants(model, ground, relax_ions=ions, energies=False)
        values = {name: (own.tensor.constants[name], 0.0) for name in NAMES}
        show(f"  potential at its own cell, {title} ions", values, dft)
    print(f"   volume {own.volume:.3f} Å³/atom, {'stable' if own.is_stable else 'UNSTABLE'}")


def describe(name, model):
    weights = {k: f"{getattr(model, f'{k}_weight_'):.3g}" for k in ("energy", "force", "stress")}
    print(f"\n== {name}: cutoff {model.descriptor_.cutoff_:g} Å, {len(model.coef_)} functions, weights {weights}")
    errors = model.cv_errors_
    print(
        "   cross-validation: " + ", ".join(f"{key} {value:.4g}" for key, value in errors.items() if value is not None)
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with train.xyz.gz and test.xyz.gz")
    parser.add_argument("--tiny", action="store_true", help="few functions of the bundled silicon, to see it run")
    options = parser.parse_args(arguments)
    if options.tiny:
        train, _ = load_silicon()
        small = {"cutoff": 5.0, "order": 2, "max_degree": (8, 6)}
        against_small_strains("bundled silicon", "elastic_silicon.xyz", train[::2], **small)
        return
    for folder in options.sets:
        train, test = (read(folder / f"{part}.xyz.gz", ":") for part in ("train", "test"))
        against_own_group(folder.name, train, test)
    against_small_strains("bundled silicon", "elastic_silicon.xyz", load_silicon()[0])
    against_small_strains("bundled LiCl", "elastic_lithium_chloride.xyz", load_lithium_chloride()[0])


if __name__ == "__main__":
    main()
