"""Holes of a potential: hot runs find them, rows fill them, and the data hardly notice."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk

from linmlp import ACE, LinearPotential, load
from linmlp.datasets import load_silicon
from linmlp.exceptions import SettingsError
from linmlp.potentials import holes
from linmlp.potentials.holes import DEPTH, LEFT, MOST_RISE, WANTED, HoleRows, fill, join_holes
from linmlp.potentials.hot_runs import AtomModel, Crowd, run_hot
from linmlp.solvers import Ridge
from linmlp.system import TrainingData

# A strength far below the best one, so that the potential goes wild outside of the data.
WILD = {"energy_weight": 1000.0, "energy_per": "atom", "alpha": 1e-10}
DESCRIPTOR = ACE(cutoff=4.5, max_degree=(10, 9, 7))


@pytest.fixture(scope="module", autouse=True)
def few_hunts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holes, "CLEAN", 3)
        yield


@pytest.fixture(scope="module")
def train():
    return load_silicon()[0][::2]


@pytest.fixture(scope="module")
def wild(train):
    return LinearPotential(DESCRIPTOR, **WILD, fill_holes=False).fit(train)


@pytest.fixture(scope="module")
def filled(train):
    return LinearPotential(DESCRIPTOR, **WILD, fill_holes=True).fit(train)


def model_of(potential):
    return AtomModel(potential.descriptor_, potential.baselines_, potential.coef_)


def test_a_crowd_is_its_structures(wild):
    rng = np.random.default_rng(0)
    structures = [bulk("Si", cubic=True), bulk("Si", a=5.2), Atoms("Si3", [[0, 0, 0], [2.3, 0, 0], [0, 2.4, 0.5]])]
    crowd = Crowd(structures, wild.descriptor_.cutoff_)
    predict = wild.predictor()
    for amplitude in (0.0, 0.1, 1.5, 0.2):  # within the skin, beyond it, and within that of the new lists
        crowd.positions = crowd.positions + amplitude * rng.normal(size=crowd.positions.shape)
        energies, forces = model_of(wild)(crowd.pairs())
        for k, structure in enumerate(structures):
            own = crowd.owner == k
            moved = structure.copy()
            moved.positions = crowd.positions[own]
            alone = predict(moved)
            np.testing.assert_allclose(energies[own] + wild.e0_["Si"], alone.energies, atol=1e-9)
            np.testing.assert_allclose(forces[own], alone.forces, atol=1e-9)


class Well:
    """A model in which one atom of a pair falls: E = -a x^4 in the distance from where it started."""

    class descriptor:
        n_features_out_ = 2

        @staticmethod
        def compute_features(pairs):
            return pairs.positions[:, :2]

    def __init__(self, start, strength):
        self.start, self.strength = start, strength

    def baseline_energies(self, pairs):
        return np.zeros(len(pairs.numbers))

    def __call__(self, pairs):
        moved = pairs.positions - self.start
        square = np.sum(moved**2, axis=1, keepdims=True)
        return -self.strength * square[:, 0] ** 2, 4.0 * self.strength * square * moved


@pytest.mark.parametrize(("strength", "falls"), [(50.0, True), (-50.0, False)])
def test_runs_tell_a_hole_from_a_well(strength, falls):
    crowd = Crowd([Atoms("Si2", [[0, 0, 0], [5, 0, 0]]), Atoms("Si", [[0, 0, 0]])], 3.0)
    model = Well(crowd.positions, strength)
    kT = np.full(2, 1000.0 * units.kB)
    fallen = run_hot(model, crowd, np.full(3, -1.0), kT, 300, np.random.default_rng(0))
    assert (len(fallen) > 0) == falls
    if falls:
        assert fallen.ran_hot.all()
        assert len(fallen.only(~fallen.ran_hot)) == 0
        assert set(fallen.numbers) == {14}


def test_holes_are_found_and_filled(wild, filled, train):
    rows = filled.holes_
    assert wild.holes_ is None
    assert len(rows) > 0
    # Before, the atoms were in holes; now they are not, and the data hardly notice.
    assert np.all(rows.X @ wild.coef_ < rows.lowest + LEFT) or np.min(rows.X @ wild.coef_ - rows.lowest) < -DEPTH + LEFT
    assert np.all(rows.X @ filled.coef_ > rows.lowest)
    assert filled.solution_.residual_norm**2 < (1.0 + MOST_RISE) * wild.solution_.residual_norm**2
    assert filled.loss(train) == pytest.approx(filled.solution_.residual_norm**2, rel=1e-6)
    assert "atoms of hot runs" in filled.describe()


def test_only_rows_that_are_too_low_ask(wild, train):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, len(wild.coef_))) * np.std(wild.descriptor_.transform(train), axis=0)
    system = TrainingData(wild.system_.data, None, True, keep=False).problem(wild.loss_weights_).system

    def solve(system):
        return Ridge(alpha=1e-10).solve(system)

    start = solve(system)
    energies = X @ start.coef
    high = HoleRows(X, energies - 1.0, energies - 2.0, 1e-6)
    np.testing.assert_array_equal(fill(solve, system, system, start, high)[0].coef, start.coef)
    one = HoleRows(X, energies + np.array([0.5, -1.0]), energies + np.array([0.1, -2.0]), 1e-14)
    filled, rows = fill(solve, system, system, start, one)
    both = X @ filled.coef
    assert one.lowest[0] < both[0] < one.lowest[0] + WANTED * (one.y[0] - one.lowest[0])
    assert rows.weight > one.weight


def test_what_cannot_be_filled_is_told(train, monkeypatch):
    monkeypatch.setattr(holes, "MOST_RISE", 0.0)
    wilder = ACE(cutoff=4.5, max_degree=(14, 12, 9))
    model = LinearPotential(wilder, **WILD, fill_holes=True).fit(train)
    assert model.holes_ is None
    assert "cannot be filled" in model.describe()


def test_the_same_again(filled, train):
    again = LinearPotential(DESCRIPTOR, **WILD, fill_holes=True).fit(train)
    np.testing.assert_array_equal(again.coef_, filled.coef_)


def test_nothing_changes_where_nothing_falls(train):
    settings = {**WILD, "alpha": 1e-2}
    small = ACE(cutoff=4.5, order=2, max_degree=(6, 4))
    without, with_hunt = (
        LinearPotential(small, **settings, fill_holes=fill_holes).fit(train) for fill_holes in (False, True)
    )
    assert with_hunt.holes_ is None
    np.testing.assert_array_equal(with_hunt.coef_, without.coef_)


def test_files_and_more_data(filled, train, tmp_path):
    filled.save(tmp_path / "filled.linmlp")
    again = load(tmp_path / "filled.linmlp")
    np.testing.assert_array_equal(again.holes_.X, filled.holes_.X)
    assert again.holes_.weight == filled.holes_.weight
    more = load_silicon()[0][1::6]
    again.partial_fit(more)
    assert len(again.holes_) == len(filled.holes_)
    assert np.all(again.holes_.X @ again.coef_ > again.holes_.lowest)


def test_joined_rows():
    one = HoleRows(np.ones((2, 3)), np.zeros(2), -np.ones(2), 1e-6)
    two = HoleRows(2.0 * np.ones((1, 3)), np.ones(1), np.zeros(1), 1e-5)
    joined = join_holes([None, one, two])
    assert joined.X[:, 0].tolist() == [1.0, 1.0, 2.0]
    assert joined.weight == 1e-5
    assert join_holes([None, None]) is None


def test_settings():
    with pytest.raises(SettingsError, match="fill_holes='yes'"):
        LinearPotential(fill_holes="yes").fit(load_silicon()[0][:4])
    assert LinearPotential()._fit_settings().hunts_holes(ACE())
    assert not LinearPotential(alpha=1e-6)._fit_settings().hunts_holes(ACE())
    assert LinearPotential(alpha=1e-6, fill_holes=True)._fit_settings().hunts_holes(ACE())
