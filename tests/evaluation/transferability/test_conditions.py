"""Errors by volume and temperature: a naive twin, gaps and edges, and volumes that mean nothing."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111

from linmlp.evaluation.transferability import errors_by_condition, volume_per_atom
from linmlp.exceptions import SettingsError


def heated(structures, temperatures):
    """Copies with a temperature; None has none."""
    copies = []
    for atoms, temperature in zip(structures, temperatures, strict=False):
        copy = atoms.copy()
        copy.calc = atoms.calc
        if temperature is not None:
            copy.info["temperature"] = temperature
        copies.append(copy)
    return copies


def naive(model, structures):
    table = model.evaluate(structures).to_dict()["total"]
    return {name: table[name] for name in ("energy_mae", "force_rmse", "stress_rmse")}


def test_bins_of_volume_are_those_of_a_plain_loop(silicon):
    train = [a for a in silicon.train if a.get_volume() / len(a) < 20.0]
    result = errors_by_condition(silicon.model, train, silicon.test, n_bins=4)
    volumes = np.array([volume_per_atom(a) for a in train])
    np.testing.assert_allclose(volumes, [a.get_volume() / len(a) for a in train])
    assert result.training == pytest.approx((volumes.min(), volumes.max()))
    edges = np.linspace(volumes.min(), volumes.max(), 5)
    asked = np.array([volume_per_atom(a) for a in silicon.test])
    seen = 0
    for b in result.bins:
        if b.place == "above":
            members = asked > edges[-1]
        elif b.place == "below":
            members = asked < edges[0]
        else:
            k = int(np.argmin(np.abs(edges - b.low)))
            members = (asked >= edges[k]) & ((asked < edges[k + 1]) if k < 3 else (asked <= edges[4]))
            inside = (volumes >= edges[k]) & ((volumes < edges[k + 1]) if k < 3 else (volumes <= edges[4]))
            assert b.n_train == inside.sum()
        assert b.n_test == members.sum()
        seen += b.n_test
        if members.any():
            expected = naive(silicon.model, [a for a, m in zip(silicon.test, members, strict=True) if m])
            assert {m: getattr(b, m) for m in expected} == pytest.approx(expected)
    assert seen == result.n_test == len(silicon.test)
    outside = [a for a, v in zip(silicon.test, asked, strict=True) if v > edges[-1] or v < edges[0]]
    assert result.n_outside == len(outside) > 5
    assert result.outside == pytest.approx(naive(silicon.model, outside))


def test_temperatures_inside_a_gap_and_outside(silicon):
    train = heated(silicon.train[:6], [100.0, 150.0, 200.0, 800.0, 900.0, None])
    test = heated(silicon.test[:6], [100.0, 500.0, 900.0, 1500.0, 50.0, None])
    result = errors_by_condition(silicon.model, train, test, "temperature", n_bins=4)
    assert [b.place for b in result.bins] == ["below", "inside", "gap", "gap", "inside", "above"]
    assert [b.n_test for b in result.bins] == [1, 1, 0, 1, 1, 1]
    assert (result.bins[0].low, result.bins[0].high) == (50.0, 100.0)
    assert (result.bins[-1].low, result.bins[-1].high) == (900.0, 1500.0)
    assert (result.n_without, result.n_outside, result.unit) == (1, 2, "K")
    said = result.statement()
    assert "training covers 100 to 900 K, but for 300 to 700; 2 of 5 test structures are outside" in said
    assert "1 test structures have no temperature" in said
    assert "(of 2 alone)" in said
    row = next(line for line in str(result).splitlines() if line.strip().startswith("500 to 700"))
    assert row.split()[3:6] == ["gap", "0", "1"]


def test_gaps_are_joined_where_they_touch(silicon):
    train = heated(silicon.train[:3], [0.0, 450.0, 1000.0])
    result = errors_by_condition(silicon.model, train, heated(silicon.test[:1], [300.0]), "temperature", n_bins=10)
    assert result.gaps == [(pytest.approx(100.0), pytest.approx(400.0)), (pytest.approx(500.0), pytest.approx(900.0))]


def test_errors_that_rise_outside_are_told(silicon):
    train = heated(silicon.train[:4], [300.0, 400.0, 500.0, 600.0])
    test = heated(silicon.test[:6] + silicon.test[:6], [400.0] * 6 + [2000.0] * 6)
    for atoms in test[6:]:
        atoms.info["energy"] = -1000.0 * len(atoms)  # a label of its own goes before that of the calculator
    result = errors_by_condition(silicon.model, train, test, "temperature")
    assert "outside, errors RISE: energy MAE" in result.statement()
    assert "force RMSE" not in result.statement()
    same = errors_by_condition(silicon.model, train, test[:6] + heated(silicon.test[:6], [2000.0] * 6), "temperature")
    assert "outside, errors are as inside: energy MAE 1.0 times that inside" in same.statement()
    assert same.to_dict()["bins"][-1]["place"] == "above"


def test_one_temperature_in_training(silicon):
    train = heated(silicon.train[:3], [300.0] * 3)
    result = errors_by_condition(silicon.model, train, heated(silicon.test[:3], [300.0, 300.0, 400.0]), "temperature")
    assert [(b.place, b.n_train, b.n_test) for b in result.bins] == [("inside", 3, 2), ("above", 0, 1)]


def test_volumes_of_slabs_and_molecules_mean_nothing():
    assert volume_per_atom(bulk("Si", a=5.43)) == pytest.approx(5.43**3 / 8)
    skew = bulk("Si", a=5.43).repeat((1, 2, 1))
    skew.set_cell(skew.cell.array @ np.array([[1, 0.2, 0], [0, 1, 0.1], [0, 0, 1]]), scale_atoms=True)
    assert volume_per_atom(skew) == pytest.approx(5.43**3 / 8)
    shifted = fcc111("Al", (1, 1, 6), vacuum=5.0)
    shifted.pbc = True
    shifted.positions[:, 2] += 8.0  # the vacuum does not have to lie at the edge of the cell
    assert np.isnan(volume_per_atom(shifted))
    assert np.isnan(volume_per_atom(Atoms("Si2", [[0, 0, 0], [0, 0, 2.3]])))
    assert np.isnan(volume_per_atom(Atoms("Si", cell=[20.0, 20.0, 20.0], pbc=True)))


def test_bad_input(silicon):
    with pytest.raises(SettingsError, match=r"none of the 3 training structures has a temperature; give structures"):
        errors_by_condition(silicon.model, silicon.train[:3], silicon.test[:3], "temperature")
    with pytest.raises(SettingsError, match=r"none of the 2 test structures"):
        errors_by_condition(silicon.model, heated(silicon.train, [1.0, 2.0]), silicon.test[:2], "temperature")
    with pytest.raises(SettingsError, match=r"info\['temperature'\] of structure 1 is 'hot'"):
        errors_by_condition(silicon.model, heated(silicon.train, [300.0, "hot"]), silicon.test[:2], "temperature")
    with pytest.raises(SettingsError, match="n_bins=0"):
        errors_by_condition(silicon.model, silicon.train, silicon.test, n_bins=0)
