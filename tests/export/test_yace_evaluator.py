"""The evaluator of the format in the library, against the naive twin in extended precision and against itself."""

import numpy as np
import pytest
from ase import Atoms

from linmlp.exceptions import InputError
from linmlp.export.yace_evaluator import YaceEvaluator
from linmlp.export.yace_export import SPLINE_BIN
from linmlp.export.yace_file import read_yace_file
from linmlp.export.yace_writer import yace_text
from tests.battery import check_forces, check_stress
from tests.naive import yace
from tests.pace.conftest import structures_of


@pytest.fixture(scope="module")
def texts(case):
    return case, yace_text(case.parameters, case.coefficients, case.e0, SPLINE_BIN)


@pytest.fixture
def content(texts, tmp_path):
    path = tmp_path / "potential.yace"
    path.write_text(texts[1])
    return read_yace_file(path)


class Predictor:
    """Results in the form that the battery takes."""

    def __init__(self, evaluator):
        self.evaluator = evaluator

    def __call__(self, atoms):
        self.result = self.evaluator(atoms)
        return self

    energies = property(lambda self: self.result.energies)
    energy = property(lambda self: self.result.energies.sum())
    forces = property(lambda self: self.result.forces)

    @property
    def stress(self):
        a, b = np.transpose([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)])
        return self.result.strain_gradient[a, b] / self.volume


def test_energies_against_the_twin(texts, content):
    case, text = texts
    naive = yace.read(text)
    for name, atoms in structures_of(case.symbols).items():
        theirs = yace.atomic_energies(naive, atoms)
        ours = YaceEvaluator(content, tables=False)(atoms).energies
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11 * np.abs(theirs).max(), err_msg=name)


def test_forces_and_stress_are_derivatives(texts, content):
    case, _ = texts
    atoms = structures_of(case.symbols)["sheared crystal"] * (2, 1, 1)
    atoms.positions += 0.05 * np.random.default_rng(1).normal(size=atoms.positions.shape)
    predict = Predictor(YaceEvaluator(content, tables=False))
    predict.volume = atoms.get_volume()
    check_forces(predict, atoms, np.random.default_rng(2), tolerance=1e-7)
    check_stress(predict, atoms, tolerance=1e-7)


def test_closer_than_the_first_bin(texts, content):
    case, _ = texts
    with pytest.raises(InputError, match="less than the first bin"):
        YaceEvaluator(content)(Atoms([case.symbols[0]] * 2, [[0, 0, 0], [0, 0, 0.0005]]))


def test_unknown_element(content):
    with pytest.raises(InputError, match="not Xe"):
        YaceEvaluator(content)(Atoms("Xe"))
