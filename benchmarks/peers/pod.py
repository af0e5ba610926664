"""POD in LAMMPS: proper orthogonal descriptors, fitted by its own command `fitpod` with its default weights.

Sizes grow in radial functions, angular degree and body order; the smallest is the one of LAMMPS's example for Ta.
"""

import json
import os

from ase.io import write

from benchmarks.peers.contract import Setting
from benchmarks.peers.lammps_ import LammpsPotential, start_lammps

NAME = "POD"
PACKAGES = ("lammps", "mpich")
MODULES = ("lammps",)
BODIES = ("two", "three", "four", "five", "six", "seven")

DATA = """file_format extxyz
file_extension xyz
path_to_training_data_set "{train}"
path_to_test_data_set "{train}"
fitting_weight_energy 100.0
fitting_weight_force 1.0
fitting_regularization_parameter 1e-10
error_analysis_for_training_data_set 0
error_analysis_for_test_data_set 0
basename_for_output_files pod
precision_for_pod_coefficients 12
group_weights global
"""


def settings(tiny):
    """Return numbers of radial functions and angular degrees from two-body terms on."""
    if tiny:
        return {"three-body": Setting({"radial": (4, 3), "angular": (None, 2)})}
    return {
        "three-body": Setting({"radial": (6, 5), "angular": (None, 4)}),
        "four-body": Setting({"radial": (8, 7, 5), "angular": (None, 5, 3)}),
        "seven-body": Setting({"radial": (10, 8, 6, 4, 3, 2), "angular": (None, 6, 4, 3, 2, 1)}),
    }


def parameters(setting, element, inner, outer):
    """Return the text of the file that says what the descriptors are."""
    radial, angular = setting.options["radial"], setting.options["angular"]
    lines = [f"species {element}", "pbc 1 1 1", f"rin {inner}", f"rcut {outer}",
             "bessel_polynomial_degree 4", "inverse_polynomial_degree 8", "onebody 1"]  # fmt: skip
    for k, body in enumerate(BODIES):
        lines.append(f"{body}body_number_radial_basis_functions {radial[k] if k < len(radial) else 0}")
        if k > 0:
            lines.append(f"{body}body_angular_degree {angular[k] if k < len(angular) else 0}")
    return "\n".join(lines) + "\n"


def fit(setting, train, folder, others):
    from benchmarks.peers.snap import cutoff_of

    element = train[0].symbols[0]
    place = (folder / "train").resolve()
    place.mkdir(exist_ok=True)
    plain = []
    for atoms in train:
        copy = atoms.copy()
        copy.info, copy.calc = {}, atoms.calc
        plain.append(copy)
    write(place / "train.xyz", plain, format="extxyz", columns=["symbols", "positions", "forces"])
    closest = 0.9 * min(shortest_distance(atoms) for atoms in train)
    (folder / "pod_param.pod").write_text(parameters(setting, element, round(closest, 3), cutoff_of(train, False)))
    (folder / "pod_data.pod").write_text(DATA.format(train=place))
    (folder / "model.json").write_text(json.dumps({"element": element}))
    here = os.getcwd()
    os.chdir(folder)  # where it writes
    try:
        lammps = start_lammps()
        for line in ("units metal", "fitpod pod_param.pod pod_data.pod"):
            lammps.command(line)
        lammps.close()
    finally:
        os.chdir(here)
    if not (folder / "pod_coefficients.pod").exists():
        raise RuntimeError("fitpod wrote no coefficients")


def shortest_distance(atoms):
    from ase.neighborlist import neighbor_list

    distances = neighbor_list("d", atoms, 3.5)
    return distances.min() if len(distances) else 3.5


def load(setting, folder, others):
    element = json.loads((folder / "model.json").read_text())["element"]
    path = folder / "pod_coefficients.pod"
    n = int(next(line for line in path.read_text().splitlines() if line.startswith("model_coefficients")).split()[1])
    return LammpsPotential(["pair_style pod", f"pair_coeff * * {folder / 'pod_param.pod'} {path} {element}"], n)
