"""The error table against numbers worked out by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from linmlp.potentials.errors import ErrorTable, StructureErrors
from linmlp.structures import Labels

GPA = 160.2176634


def labels(n_atoms=2, group="bulk", energy=-4.0, forces=0.0, stress=0.0, force_weight=1.0, stress_weight=1.0, **more):
    return Labels(
        energy=energy,
        forces=None if forces is None else np.full((n_atoms, 3), forces, dtype=float),
        stress=None if stress is None else np.full(6, stress, dtype=float),
        config_type=group,
        n_atoms=n_atoms,
        numbers=np.full(n_atoms, 14),
        volume=None if stress is None else 20.0,
        energy_weight=more.get("energy_weight", 1.0),
        force_weight=np.broadcast_to(force_weight, (n_atoms, 3)).astype(float),
        stress_weight=np.broadcast_to(stress_weight, 6).astype(float),
    )


def prediction(label, energy, forces=0.0, stress=0.0, volume=20.0):
    """A prediction with these errors."""
    return SimpleNamespace(
        energy=(label.energy or 0.0) + energy,
        forces=(0.0 if label.forces is None else label.forces) + np.broadcast_to(forces, (label.n_atoms, 3)),
        stress=(0.0 if label.stress is None else label.stress) + np.broadcast_to(stress, 6),
        volume=volume,
    )


def table(*pairs):
    return ErrorTable(tuple(StructureErrors.of(p, label) for p, label in pairs))


@pytest.fixture
def by_hand():
    """Two bulk structures of 2 and 4 atoms, and a molecule without stress."""
    a, b = labels(2), labels(4)
    c = labels(1, "molecule", stress=None)
    stress = np.array([3.0, 0, 0, 4.0, 0, 0]) / GPA
    return table(
        (prediction(a, 0.02, 0.1, stress), a),
        (prediction(b, -0.12, [0.3, 0.0, 0.0], 0.0), b),
        (prediction(c, 0.002, 0.0, np.nan, None), c),
    )


def test_numbers(by_hand):
    total, groups = by_hand.to_dict()["total"], by_hand.to_dict()["groups"]
    assert list(groups) == ["bulk", "molecule"]
    # energies per atom: +10, -30, +2 meV
    assert total["energy_mae"] == pytest.approx(14.0)
    assert total["energy_rmse"] == pytest.approx(np.sqrt((100 + 900 + 4) / 3))
    # force components: 6 of 0.1, 4 of 0.3 and 8 of 0, 3 of 0
    assert total["force_mae"] == pytest.approx(1.8 / 21)
    assert total["force_rmse"] == pytest.approx(np.sqrt((0.06 + 0.36) / 21))
    # stress: 3 and 4 GPa among 12 Voigt components
    assert total["stress_mae"] == pytest.approx(7 / 12)
    assert total["stress_rmse"] == pytest.approx(np.sqrt(25 / 12))
    assert total["n_structures"] == 3
    assert groups["bulk"]["energy_mae"] == pytest.approx(20.0)
    assert groups["molecule"]["force_rmse"] == 0.0
    assert groups["molecule"]["stress_mae"] is None
    assert groups["molecule"]["n_structures"] == 1


def test_masked_components_do_not_count():
    mask = np.ones((2, 3))
    mask[0] = 0
    label = labels(2, force_weight=mask, stress_weight=[1, 1, 1, 0, 0, 0])
    forces, stress = np.array([[np.nan] * 3, [0.1, 0.1, 0.4]]), np.array([1, 1, 1, 99, 99, np.nan]) / GPA
    total = table((prediction(label, 0.0, forces, stress), label)).to_dict()["total"]
    assert total["force_mae"] == pytest.approx(0.2)
    assert total["stress_rmse"] == pytest.approx(1.0)


def test_a_masked_energy_does_not_count():
    """Weight 0 means the label is not used: as little in the table as in the loss."""
    a, b = labels(2, energy_weight=0.0), labels(2)
    total = table((prediction(a, 99.0), a), (prediction(b, 0.002), b)).to_dict()["total"]
    assert total["energy_mae"] == pytest.approx(1.0)


def test_missing_labels_are_null_in_json():
    label = labels(2, forces=None, stress=None)
    errors = table((prediction(label, 0.002, 0.0, np.nan, None), label))
    text = errors.to_json()
    assert "NaN" not in text
    assert json.loads(text) == errors.to_dict()
    total = json.loads(text)["total"]
    assert total["force_mae"] is None
    assert total["energy_mae"] == pytest.approx(1.0)
    columns = {"energy_mae", "energy_rmse", "force_mae", "force_rmse", "stress_mae", "stress_rmse", "n_structures"}
    assert set(total) == set(json.loads(text)["groups"]["bulk"]) == columns


def test_a_stress_label_without_volume_in_the_prediction_is_left_out():
    label = labels(2)
    assert table((prediction(label, 0.0, 0.0, np.nan, None), label)).to_dict()["total"]["stress_mae"] is None


def test_frame(by_hand):
    frame = by_hand.to_frame()
    assert list(frame.index) == ["bulk", "molecule", "total"]
    assert frame.loc["total", "energy_mae"] == pytest.approx(14.0)
    assert frame.loc["bulk", "n_structures"] == 2
    assert np.isnan(frame["stress_mae"].astype(float)["molecule"])


def test_a_group_of_the_name_total_stays_apart_in_the_dict():
    a, b = labels(2, "total"), labels(2, "bulk")
    errors = table((prediction(a, 0.002), a), (prediction(b, 0.006), b))
    assert errors.to_dict()["groups"]["total"]["energy_mae"] == pytest.approx(1.0)
    assert errors.to_dict()["total"]["energy_mae"] == pytest.approx(2.0)
    assert len(errors.to_frame()) == 3


def test_text(by_hand):
    lines = str(by_hand).splitlines()
    assert "meV/atom" in lines[0]
    assert "GPa" in lines[0]
    assert lines[-1].split() == ["total", "3", "14.00", "18.29", "0.0857", "0.1414", "0.583", "1.443"]
    assert lines[-2].split() == ["molecule", "1", "2.00", "2.00", "0.0000", "0.0000", "-", "-"]
    assert len({len(line) for line in lines[1:]}) == 1
    only = labels(2)
    assert "bulk" not in str(table((prediction(only, 0.0), only)))


def test_intervals():
    rng = np.random.default_rng(0)
    pairs = [(prediction(label, error, error), label) for error in rng.normal(0, 0.01, 40) for label in [labels(2)]]
    errors = table(*pairs)
    intervals, total = errors.intervals(), errors.to_dict()["total"]
    assert intervals == errors.intervals(random_state=0)
    assert intervals != errors.intervals(random_state=1)
    for name, (low, high) in intervals.items():
        assert low <= total[name] <= high
    low, high = intervals["energy_mae"]
    # the standard error of a mean of 40 absolute values, twice on each side
    values = np.abs([p.energy - label.energy for p, label in pairs]) * 1e3 / 2
    assert high - low == pytest.approx(4 * values.std() / np.sqrt(40), rel=0.15)
    narrow = errors.intervals(level=0.5)["energy_mae"]
    assert low < narrow[0] < narrow[1] < high


def test_intervals_with_few_labels():
    """Resampled sets without any label are left out; kinds that nothing carries are absent."""
    a, b = labels(2, energy=None, stress=None), labels(2, stress=None)
    intervals = table((prediction(a, 0.0), a), (prediction(b, 0.004), b)).intervals(n_samples=50)
    assert intervals["energy_mae"] == pytest.approx((2.0, 2.0))
    assert "stress_mae" not in intervals
    one = table((prediction(b, 0.004), b)).intervals(n_samples=5)
    assert one["energy_rmse"] == pytest.approx((2.0, 2.0))


def test_evaluate_counts_what_the_structures_carry(silicon_model, silicon_truth):
    errors = silicon_model.evaluate(silicon_truth.structures).to_dict()
    energies = [a.calc.results["energy"] for a in silicon_truth.structures]
    sizes = np.array([len(a) for a in silicon_truth.structures])
    wanted = 1e3 * np.abs((silicon_model.predict(silicon_truth.structures) - energies) / sizes).mean()
    assert errors["total"]["energy_mae"] == pytest.approx(wanted)
    assert errors["groups"]["molecule"]["stress_mae"] is None
    assert sum(row["n_structures"] for row in errors["groups"].values()) == len(sizes)
