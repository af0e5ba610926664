"""Model files of every schema that was ever written go on giving the same energies."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from linmlp import load
from linmlp.potentials.model_file import SCHEMA

GOLDEN = Path(__file__).parent / "golden"


def test_the_current_schema_has_a_golden_file():
    assert (GOLDEN / f"schema_{SCHEMA}.linmlp").is_file()


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.linmlp")), ids=lambda path: path.stem)
def test_old_file_gives_the_same_numbers(path):
    expected = json.loads(path.with_suffix(".json").read_text())
    structures = [
        Atoms(numbers, positions, cell=cell, pbc=True)
        for numbers, positions, cell in zip(expected["numbers"], expected["positions"], expected["cells"], strict=True)
    ]
    model = load(path)
    # 1e-11: vector widths differ between processors, and with them the order of sums
    np.testing.assert_allclose(model.predict(structures), expected["energies"], rtol=1e-11)
    largest = [np.abs(forces).max() for forces in model.predict_forces(structures)]
    np.testing.assert_allclose(largest, expected["largest_force"], rtol=1e-8)
