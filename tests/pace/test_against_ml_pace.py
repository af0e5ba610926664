"""Energies, forces and stress against the evaluator that LAMMPS runs (ML-PACE, bound to Python by python-ace).

ML-PACE reads its radial functions from tables: cubic Hermite interpolation over bins of width h = `deltaSplineBins`.
So energies differ from ours by O(h^4), forces and stress, which read the slope of the interpolant, by O(h^3).
Measured over all potentials and structures below (dimers at distances 1.5e-3 Å and more from the ends of the inner
switch), largest deviation in units of the largest atomic energy, force or stress component of the structure:

    h in Å                0.01      0.005     0.002     0.001     0.0005    0.00025
    energies              5e-8      3e-9      2e-10     4e-12     7e-13     5e-13
    dimers                6e-6      5e-7      1e-9      8e-11     3e-12     3e-13
    forces                8e-6      5e-7      4e-8      5e-9      5e-10     6e-10
    dimers                4e-4      7e-5      2e-6      9e-8      4e-9      1e-9
    stress                5e-5      1e-5      4e-8      5e-8      7e-9      1e-9

What is left at small h is rounding in the tables: their scaled distance, a difference of exponentials over
1 - exp(-0.01), keeps 14 digits, and the slopes lose more, the more the smaller h. An evaluation of the same file in
extended precision (`tests.naive.yace`) sides with our forces: 1e-13 of the largest for the two random potentials.
"""

import numpy as np
import pytest
from ase import Atoms

from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.export import write_yace
from linmlp.export.yace_writer import yace_text
from tests.pace.conftest import CUTOFF, fitted_model, structures_of

pyace = pytest.importorskip(
    "pyace", reason='the ML-PACE evaluator is not installed; it comes with: pip install -e ".[test,pace]"'
)

SPLINE_BIN = 0.0005
"""Half the usual width, and a whole fraction of the cutoff."""

ENERGY_TOLERANCE, FORCE_TOLERANCE = 2e-11, 4e-8
"""Of the largest atomic energy, and of the largest force or stress component: the table above with room for a factor
of five, as what the largest deviation is depends on where in their bins the distances lie."""

EVALUATORS = {"product": {}, "recursive": {"recursive_evaluator": True, "recursive": True}}


@pytest.fixture
def calculator(tmp_path):
    """Return the ASE calculator of a file with our potential in it."""

    def make(case, spline_bin=SPLINE_BIN, **options):
        path = tmp_path / "potential.yace"
        path.write_text(yace_text(case.parameters, case.coefficients, case.e0, spline_bin))
        # its fast neighbor list wants all directions periodic or none
        return pyace.PyACECalculator(str(path), fast_nl=False, **options)

    return make


def evaluate(calculator, atoms):
    """Energies per atom, forces, stress (None without volume)."""
    atoms = atoms.copy()
    atoms.calc = calculator
    stress = atoms.get_stress() if atoms.cell.rank == 3 else None
    return atoms.get_potential_energies(), atoms.get_forces(), stress


def deviations_of(case, calculator, atoms):
    """Largest deviations of energies, forces and stress over their largest values (energies without e0)."""
    energies, forces, stress = evaluate(calculator, atoms)
    ours, e0 = case.predict(atoms), case.e0[np.searchsorted(case.parameters.numbers, atoms.numbers)]
    scale = np.abs(ours.energies - e0).max()
    of_energies = np.abs(energies - ours.energies).max() / scale
    of_forces = np.abs(forces - ours.forces).max() / max(np.abs(ours.forces).max(), 1e-3 * scale)
    if stress is None:
        return of_energies, of_forces, 0.0
    return of_energies, of_forces, np.abs(stress - ours.stress).max() / np.abs(ours.stress).max()


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_energies_forces_stress(case, calculator, evaluator):
    calculator = calculator(case, **EVALUATORS[evaluator])
    for name, atoms in structures_of(case.symbols).items():
        energies, forces, stress = deviations_of(case, calculator, atoms)
        assert energies < ENERGY_TOLERANCE, name
        assert max(forces, stress) < FORCE_TOLERANCE, name


def test_total_energy(case, calculator):
    """The energy is that of the atoms together."""
    atoms = structures_of(case.symbols)["rattled supercell"]
    expected = case.predict(atoms).energy
    atoms.calc = calculator(case)
    assert atoms.get_potential_energy() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("load", [load_silicon, load_lithium_chloride])
def test_fitted_model_on_its_data(load, tmp_path):
    """With the repulsive core, which is zero on the data and not in the file."""
    model, structures = fitted_model(load)
    assert model.baselines_
    path = tmp_path / "potential.yace"
    write_yace(model, path, spline_bin=SPLINE_BIN)
    calculator = pyace.PyACECalculator(str(path))
    for k, atoms in enumerate(structures):
        energies, forces, stress = evaluate(calculator, atoms)
        ours = model.predictor()(atoms)
        assert energies.sum() == pytest.approx(ours.energy, rel=1e-11), k
        np.testing.assert_allclose(forces, ours.forces, rtol=0, atol=1e-8)  # eV/Å
        np.testing.assert_allclose(stress, ours.stress, rtol=0, atol=1e-9)  # eV/Å³


def test_isolated_atoms(case, calculator):
    calculator = calculator(case)
    for symbol, e0 in zip(case.symbols, case.e0, strict=True):
        energies, forces, _ = evaluate(calculator, Atoms(symbol))
        assert energies[0] == e0
        np.testing.assert_array_equal(forces, 0.0)


def compare_dimers(case, calculator, distances_of):
    """Largest deviations of energies and forces over their largest values, for every ordered pair of elements."""
    for a, first in enumerate(case.symbols):
        for b, second in enumerate(case.symbols):
            ours, theirs = [], []
            for distance in distances_of(case.parameters.inner[a, b], case.parameters.inner_width[a, b]):
                dimer = Atoms([first, second], [[0, 0, 0], distance * np.array([0.6, -0.48, 0.64])])
                prediction = case.predict(dimer)
                energies, forces, _ = evaluate(calculator, dimer)
                ours.append([*(prediction.energies - case.e0[[a, b]]), *prediction.forces.ravel()])
                theirs.append([*(energies - case.e0[[a, b]]), *forces.ravel()])
            scale, deviation = np.abs(ours).max(0), np.abs(np.subtract(theirs, ours)).max(0)
            yield (first, second), deviation[:2].max() / scale[:2].max(), deviation[2:].max() / scale[2:].max()


def beside_the_switch_ends(inner, width):
    """Distances from inside the inner switch, where ACE is off, to beyond the cutoff."""
    away = 1.5 * SPLINE_BIN
    switch = np.linspace(inner - width + away, inner - away, 15)
    return [0.7 * (inner - width), inner - width - away, *switch, *np.linspace(inner + away, CUTOFF + 0.1, 40)]


def test_dimers(case, calculator):
    for pair, energies, forces in compare_dimers(case, calculator(case), beside_the_switch_ends):
        assert energies < ENERGY_TOLERANCE, pair
        assert forces < FORCE_TOLERANCE, pair


def test_dimers_at_the_ends_of_the_inner_switch(case, calculator):
    """The third derivative jumps there by 60 / width^3, which tables miss inside a bin: O(h^3), forces O(h^2)."""

    def distances_of(inner, width):
        across = SPLINE_BIN * np.linspace(-1, 1, 21)
        return [*(inner - width + across), *(inner + across), *beside_the_switch_ends(inner, width)]

    for pair, energies, forces in compare_dimers(case, calculator(case), distances_of):
        assert energies < 1e-8, pair
        assert forces < 1e-5, pair


def test_error_of_the_tables(random_potential, calculator):
    """Fourth order for energies and third for forces: the difference is the tables', not one of formulas."""
    atoms = structures_of(random_potential.symbols)["rattled supercell"]
    ours = random_potential.predict(atoms)
    bins = CUTOFF / np.array([225, 450, 900])
    errors = []
    for spline_bin in bins:
        energies, forces, _ = evaluate(calculator(random_potential, float(spline_bin)), atoms)
        errors.append([np.std(energies - ours.energies), np.std(forces - ours.forces)])
    orders = np.diff(np.log(errors), axis=0) / np.diff(np.log(bins))[:, None]
    np.testing.assert_allclose(orders[:, 0], 4.0, atol=0.4)
    np.testing.assert_allclose(orders[:, 1], 3.0, atol=0.4)
