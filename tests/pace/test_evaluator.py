"""The library's evaluator of the format makes the tables of ML-PACE: the same energies and forces to rounding."""

import numpy as np
import pytest

from linmlp.export.yace_evaluator import YaceEvaluator
from linmlp.export.yace_file import read_yace_file
from linmlp.export.yace_writer import yace_text
from tests.pace.conftest import structures_of

pyace = pytest.importorskip(
    "pyace", reason='the ML-PACE evaluator is not installed; it comes with: pip install -e ".[test,pace]"'
)


@pytest.mark.parametrize("spline_bin", [0.02, 0.001])
def test_energies_and_forces(case, tmp_path, spline_bin):
    """Wide bins have errors of 1e-6 and 1e-4, of which nothing may be left here."""
    path = tmp_path / "potential.yace"
    path.write_text(yace_text(case.parameters, case.coefficients, case.e0, spline_bin))
    evaluator, calculator = YaceEvaluator(read_yace_file(path)), pyace.PyACECalculator(str(path), fast_nl=False)
    for name, atoms in structures_of(case.symbols).items():
        ours, atoms = evaluator(atoms), atoms.copy()
        atoms.calc = calculator
        energies, forces = atoms.get_potential_energies(), atoms.get_forces()
        scale = np.abs(energies).max()
        np.testing.assert_allclose(energies, ours.energies, rtol=0, atol=1e-11 * scale, err_msg=name)
        np.testing.assert_allclose(forces, ours.forces, rtol=0, atol=1e-9 * max(np.abs(forces).max(), scale))
