"""Potentials that python-ace makes (random coefficients of its own basis and couplings) become ours.

Largest deviations from ML-PACE in bins of 0.001 Å: energies 2e-12, forces 2e-9, stress 3e-10 of the largest; with
ChebExpCos and `dcut` = 0.01 Å, as is usual, 4e-11, 2e-7 and 4e-8: a cosine over ten bins of the tables.
"""

import numpy as np
import pytest
from ase import Atoms

from linmlp.export import read_yace
from linmlp.export.yace_evaluator import YaceEvaluator
from linmlp.export.yace_file import read_yace_file
from tests.pace.conftest import structures_of

pyace = pytest.importorskip(
    "pyace", reason='the ML-PACE evaluator is not installed; it comes with: pip install -e ".[test,pace]"'
)

INNER = {"r_in": 1.8, "delta_in": 0.4, "inner_cutoff_type": "distance"}
CASES = {
    "SBessel": (["Si"], {"radbase": "SBessel", "radparameters": [5.25]}),
    "ChebExpCos": (["Al", "Ni"], {"radbase": "ChebExpCos", "radparameters": [5.25]}),
    "wide dcut": (["Al", "Ni"], {"radbase": "ChebExpCos", "radparameters": [3.0], "dcut": 0.8}),
    "ChebPow": (["Ni", "Al"], {"radbase": "ChebPow", "radparameters": [2.0]}),
    "core, type density": (
        ["Ni", "Al"],
        {"radbase": "SBessel", "radparameters": [1.0], "core-repulsion": [100.0, 1.0], "inner_cutoff_type": "density"},
    ),
    "core, type distance": (
        ["Si"],
        {"radbase": "ChebPow", "radparameters": [3.0], "core-repulsion": [100.0, 1.0], **INNER},
    ),
}


def write_with_python_ace(elements, bond, path):
    """A linear potential of rank 3 with random coefficients, from python-ace's basis by its own conversion."""
    settings = {"rcut": 5.0, "dcut": 0.01, "NameOfCutoffFunction": "cos", "core-repulsion": [0.0, 1.0]}
    basis = pyace.ACEBBasisSet(
        pyace.create_multispecies_basis_config(
            {
                "deltaSplineBins": 0.001,
                "elements": elements,
                "embeddings": {"ALL": {"npot": "FinnisSinclairShiftedScaled", "fs_parameters": [1, 1], "ndensity": 1}},
                "bonds": {"ALL": {**settings, **bond}},
                "functions": {"ALL": {"nradmax_by_orders": [6, 3, 2], "lmax_by_orders": [0, 3, 2]}},
            }
        )
    )
    rng = np.random.default_rng(0)
    basis.basis_coeffs = 0.1 * rng.normal(size=len(basis.basis_coeffs))
    basis.crad_coeffs = 0.3 * rng.normal(size=len(basis.crad_coeffs))
    basis.to_ACECTildeBasisSet().save_yaml(str(path))


@pytest.fixture(params=CASES, scope="module")
def imported(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("import") / "potential.yace"
    elements, bond = CASES[request.param]
    write_with_python_ace(elements, bond, path)
    return elements, path, read_yace(path)


def test_energies_forces_stress(imported):
    elements, path, model = imported
    calculator, found = pyace.PyACECalculator(str(path), fast_nl=False), []
    for atoms in map(Atoms.copy, structures_of(elements).values()):
        ours = model.predictor()(atoms)
        atoms.calc = calculator
        scale = np.abs(ours.energies).max()
        energies = np.abs(atoms.get_potential_energies() - ours.energies).max() / scale
        forces = np.abs(atoms.get_forces() - ours.forces).max() / max(np.abs(ours.forces).max(), 1e-3 * scale)
        stress = 0.0
        if atoms.cell.rank == 3:
            stress = np.abs(atoms.get_stress() - ours.stress).max() / np.abs(ours.stress).max()
        found.append((energies, forces, stress))
    found = np.max(found, axis=0)
    print("energies, forces, stress:", found)
    assert (found < [1e-9, 1e-6, 1e-6]).all(), found


def test_without_tables_nothing_is_left(imported):
    elements, path, model = imported
    exact = YaceEvaluator(read_yace_file(path), tables=False)
    for name, atoms in structures_of(elements).items():
        theirs, ours = exact(atoms), model.predictor()(atoms)
        scale = np.abs(theirs.energies).max()
        np.testing.assert_allclose(ours.energies, theirs.energies, rtol=0, atol=1e-11 * scale, err_msg=name)
        largest = max(np.abs(theirs.forces).max(), scale)
        np.testing.assert_allclose(ours.forces, theirs.forces, rtol=0, atol=1e-11 * largest, err_msg=name)
