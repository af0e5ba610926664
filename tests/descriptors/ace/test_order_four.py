"""Order 4 as users see it: names, degrees, files, selected functions, independence, energies of tuples of neighbors."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

import linmlp
from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.descriptors.ace.basis import COUPLED, enumerate_functions, factors
from linmlp.descriptors.ace.plan import make_plan
from linmlp.descriptors.ace.rows import AceRows
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import find_pairs
from linmlp.solvers import ForwardSelection
from tests.descriptors.ace.test_evaluator import CASES, CUTOFF, make_crystal
from tests.naive import ace as naive

DEGREES = (6, 4, 3, 4)


@pytest.fixture(scope="module")
def silicon():
    return load_silicon()


@pytest.fixture(scope="module")
def descriptor(silicon):
    return ACE(cutoff=4.5, order=4, max_degree=DEGREES, max_l=2).fit(silicon[0][:20])


def test_names_say_how_factors_are_coupled(descriptor):
    names = descriptor.get_feature_names_out()
    assert len(set(names)) == len(names) == descriptor.n_features_out_
    functions = descriptor.parameters_.functions
    (k,) = [k for k, f in enumerate(functions) if f == ((0, 0, 1),) * 2 + ((0, 0, 1),) * 2 + ((COUPLED, 0, 0),)]
    assert names[k] == "Si|Si.Si.Si.Si n=0,0,0,0 l=1,1,1,1 L=0"


def test_degrees_leave_out_the_coupling(descriptor):
    order, degree = descriptor.feature_degrees().T
    np.testing.assert_array_equal(order, [len(factors(f)) for f in descriptor.parameters_.functions])
    for k, limit in enumerate(DEGREES, start=1):
        assert degree[order == k].max() == limit
    lengths = [len(enumerate_functions(1, DEGREES[:k], 2)) for k in range(5)]
    np.testing.assert_array_equal(np.bincount(order)[1:], np.diff(lengths))


def test_state_comes_back(descriptor, silicon):
    again = ACE.from_state(*descriptor.to_state())
    np.testing.assert_array_equal(again.transform(silicon[1][:2]), descriptor.transform(silicon[1][:2]))
    assert again.get_params() == descriptor.get_params()


def test_functions_of_coupled_pairs_are_sums_over_tuples_of_neighbors():
    """Four-fold sums over neighbors instead of products of sums."""
    rng = np.random.default_rng(0)
    for name in ("order 4", "order 4, two elements"):
        p = CASES[name]
        functions = tuple(f for f in p.functions if len(factors(f)) == 4)
        positions = np.concatenate([np.zeros((1, 3)), rng.normal(size=(4, 3))])
        positions[1:] *= rng.uniform(2.0, 3.8, (4, 1)) / np.linalg.norm(positions[1:], axis=1)[:, None]
        atoms = Atoms(np.resize(p.numbers, 5), positions=positions)
        found = AceRows(p).compute_features(find_pairs(atoms, CUTOFF))[0]
        kinds = np.searchsorted(p.numbers, atoms.numbers[1:])
        for k, function in enumerate(p.functions):
            if function in functions[::7]:
                expected = naive.sum_over_tuples(function, positions[1:], kinds, p)
                assert abs(found[k] - expected) < 1e-11 * max(1.0, np.abs(found).max())


def test_derivatives_of_single_centers_add_up_to_the_rows():
    p = CASES["order 4, two elements"]
    rows, atoms = AceRows(p), make_crystal(p)
    pairs, n = find_pairs(atoms, CUTOFF), len(p.functions)
    energy, d_positions, d_strain = rows.allocate(len(atoms))
    rows.write(pairs, energy, d_positions, d_strain)
    for z, number in enumerate(p.numbers):
        own = slice(z * n, (z + 1) * n)
        of_centers = rows.of_centers(pairs, np.flatnonzero(atoms.numbers == number))
        total = np.zeros((len(atoms), 3, n))
        np.add.at(total, of_centers.atoms, of_centers.d_positions.reshape(-1, 3, n))
        scale = np.abs(d_positions).max()
        np.testing.assert_allclose(of_centers.features.sum(axis=0), energy[own], rtol=1e-11)
        np.testing.assert_allclose(total.reshape(-1, n), d_positions[:, own], atol=1e-12 * scale)
        strain = of_centers.d_strain.reshape(-1, 6, n).sum(axis=0)
        np.testing.assert_allclose(strain, d_strain[:, own], atol=1e-12 * np.abs(d_strain).max())


def test_functions_are_linearly_independent_in_random_environments():
    """Scaled columns have full rank, and one more coupling of the same channels adds none."""
    rng = np.random.default_rng(0)
    environments = []
    for _ in range(400):
        vectors = rng.normal(size=(9, 3))
        vectors *= rng.uniform(1.8, 4.4, (9, 1)) / np.linalg.norm(vectors, axis=1)[:, None]
        environments.append(Atoms("Si10", positions=np.concatenate([np.zeros((1, 3)), vectors])))
    descriptor = ACE(cutoff=4.5, order=4, max_degree=(3, 3, 3, 6)).fit(environments)

    def smallest(parameters):
        rows = AceRows(parameters)
        features = np.array([rows.compute_features(find_pairs(atoms, 4.5))[0] for atoms in environments])
        return np.linalg.svd(features / np.linalg.norm(features, axis=0), compute_uv=False)[-1]

    p = descriptor.parameters_
    another = (*[(0, 0, 1)] * 4, (COUPLED, 0, 2))
    assert another not in p.functions
    # radial functions of near degrees are alike, hence the wide gap below 1; rounding is 1e-15
    assert smallest(p) > 1e-7
    assert smallest(replace(p, functions=(*p.functions, another))) < 1e-13


def test_what_is_not_selected_costs_nothing():
    """Coupled pairs of functions without coefficients are not made, nor are channels that only they need."""
    p = CASES["order 4"]
    orders = np.array([len(factors(f)) for f in p.functions])
    lower = make_plan(p, np.where(orders < 4, 1.0, 0.0), LANES)
    assert lower.coupled.coefficient.size == 0
    np.testing.assert_array_equal(lower.coupled_start, lower.used_size)
    one = np.zeros(p.n_features)
    (place,) = [k for k, f in enumerate(p.functions) if f == ((0, 0, 1),) * 4 + ((COUPLED, 0, 0),)]
    one[place] = 2.0
    plan = make_plan(p, one, LANES)
    assert plan.used_size[0] - plan.coupled_start[0] == LANES  # one pair, L = 0
    assert plan.coupled_start[0] == 3 * LANES
    assert np.count_nonzero(plan.coupled.coefficient) == 3  # x², y², z²


def test_inversion_changes_nothing_and_mirror_images_are_not_told_apart():
    p = CASES["order 4"]
    atoms = make_crystal(p)
    features = AceRows(p).compute_features(find_pairs(atoms, CUTOFF))
    atoms.positions *= -1.0
    atoms.set_cell(-atoms.cell.array)
    np.testing.assert_allclose(
        AceRows(p).compute_features(find_pairs(atoms, CUTOFF)), features, atol=1e-12 * np.abs(features).max()
    )


def test_a_potential_with_selected_functions_of_order_four(silicon, tmp_path):
    """Fit with selection, predictions of all kinds, and the file."""
    ace = ACE(cutoff=4.5, order=4, max_degree=(6, 4, 3, 4), max_l=2)
    model = LinearPotential(ace, solver=ForwardSelection(30), energy_weight=1.0).fit(silicon[0][::3])
    used = model.coef_ != 0.0
    orders = model.descriptor_.feature_degrees()[:, 0]
    assert used.sum() == 30
    assert np.any(used & (orders == 4))
    model.save(tmp_path / "si.linmlp")
    again = linmlp.load(tmp_path / "si.linmlp")
    atoms = silicon[1][:3]
    np.testing.assert_array_equal(again.predict(atoms), model.predict(atoms))
    rows = np.concatenate([_force_rows(model.descriptor_, a) @ model.coef_ for a in atoms])
    forces = np.concatenate(model.predict_forces(atoms))
    np.testing.assert_allclose(forces.ravel(), -rows, atol=1e-9 * np.abs(rows).max())


def _force_rows(descriptor, atoms):
    _, d_positions, _ = out = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(find_pairs(atoms, descriptor.cutoff_), *out)
    return d_positions
