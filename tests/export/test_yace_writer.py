"""The `.yace` text against our predictions, read by a plain evaluator that knows only the format."""

import numpy as np
import pytest
from ase import Atoms

from linmlp.export.yace_export import SPLINE_BIN
from linmlp.export.yace_writer import yace_text
from tests.battery import central_difference
from tests.naive import yace
from tests.pace.conftest import structures_of


@pytest.fixture(scope="module")
def content(case):
    return yace.read(yace_text(case.parameters, case.coefficients, case.e0, SPLINE_BIN))


def test_energies(case, content):
    """Sums of some 1e3 terms in double precision, several digits of which cancel: 1e-11 of the largest energy."""
    for name, atoms in structures_of(case.symbols).items():
        ours = case.predict(atoms).energies
        theirs = yace.atomic_energies(content, atoms)
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-11 * np.abs(ours).max(), err_msg=name)


def test_forces(case, content):
    """Differences in extended precision, good to (2e-4 Å)**4."""
    atoms = structures_of(case.symbols)["cluster"]
    forces = case.predict(atoms).forces
    for atom, axis in ((0, 0), (5, 1), (11, 2)):

        def energy_of(x, atom=atom, axis=axis):
            positions = atoms.positions.astype(np.longdouble)
            positions[atom, axis] += x
            return yace.atomic_energies(content, atoms, np.longdouble, positions).sum()

        numerical = -central_difference(energy_of, np.longdouble(2e-4))
        assert abs(numerical - forces[atom, axis]) < 1e-10 * np.abs(forces).max()


def test_isolated_atoms(case, content):
    assert [yace.atomic_energies(content, Atoms(symbol))[0] for symbol in case.symbols] == pytest.approx(case.e0)


def test_types_of_numbers(content):
    """The reader of ML-PACE stops at an integer with a decimal point."""
    for bond in content["bonds"].values():
        assert all(type(bond[key]) is int for key in ("nradmax", "lmax", "nradbasemax"))
        numbers = [*np.ravel(bond["radcoefficients"]), bond["rcut"], bond["dcut"], bond["rcut_in"], bond["dcut_in"]]
        assert all(isinstance(number, float) for number in numbers)
    for functions in content["functions"].values():
        for function in functions:
            assert all(type(function[key]) is int for key in ("mu0", "rank", "ndensity", "num_ms_combs"))
            assert all(type(n) is int for key in ("mus", "ns", "ls", "ms_combs") for n in function[key])
            assert all(type(c) is float for c in function["ctildes"])


def test_every_ordered_pair_has_a_bond(case, content):
    """One that is missing would be made up by the reader without a word."""
    n_elements = len(case.symbols)
    assert set(content["bonds"]) == set(np.ndindex(n_elements, n_elements))
    assert content["elements"] == case.symbols
