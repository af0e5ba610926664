"""Weights and the loss of predictions."""

from dataclasses import replace

import numpy as np
import pytest

from linmlp.exceptions import SettingsError
from linmlp.system import LossWeights, check_group_names, compute_loss, structure_weights
from tests.naive.toy_data import naive_loss, toy_labels, toy_structures, with_odd_weights
from tests.naive.toy_descriptor import ToyDescriptor

POWERS = {"structure": 0, "sqrt_atom": 1, "atom": 2}


@pytest.fixture(scope="module")
def data():
    descriptor = ToyDescriptor()
    structures = toy_structures(14)
    coef = np.random.default_rng(4).normal(size=descriptor.n_features_)
    labels = toy_labels(structures, descriptor, coef)
    predictions = [descriptor.predict(atoms, coef + 0.1) for atoms in structures]
    return labels, predictions


def loss_of(labels, predictions, weights, sample_weight=None):
    energies, forces, stresses = zip(*predictions, strict=True)
    return compute_loss(weights, labels, energies, forces, stresses, sample_weight).total


@pytest.mark.parametrize("energy_per", POWERS)
@pytest.mark.parametrize("odd", [False, True])
def test_loss_is_its_formula(data, energy_per, odd):
    labels, predictions = data
    labels = with_odd_weights(labels) if odd else labels
    listed = np.random.default_rng(0).uniform(0.2, 2.0, len(labels))
    groups = {"slab": 3.0, "default": 0.5}
    weights = LossWeights(0.7, 1.3, 11.0, energy_per, groups)
    factor = np.array([groups.get(label.config_type, 0.5) for label in labels])
    wanted = naive_loss(labels, predictions, 0.7, 1.3, 11.0, POWERS[energy_per], listed * factor)
    assert loss_of(labels, predictions, weights, listed) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("odd", [False, True])
def test_weight_two_is_listing_twice_and_zero_is_leaving_out(data, odd):
    labels, predictions = data
    labels = with_odd_weights(labels) if odd else labels
    weights = LossWeights(0.7, 1.3, 11.0, "atom")
    listing = np.array([2, 0, 1] * 4 + [1, 2])
    at = np.repeat(np.arange(len(labels)), listing)
    wanted = loss_of([labels[i] for i in at], [predictions[i] for i in at], weights)
    assert loss_of(labels, predictions, weights, listing) == pytest.approx(wanted, rel=1e-13)


def test_masked_labels_may_be_nan(data):
    labels, predictions = data
    odd = with_odd_weights(labels)
    weights = LossWeights(0.7, 1.3, 11.0)
    broken = [
        replace(
            label,
            forces=None if label.forces is None else np.where(label.force_weight > 0, label.forces, np.nan),
            stress=None if label.stress is None else np.where(label.stress_weight > 0, label.stress, np.nan),
            energy=label.energy if label.energy_weight > 0 else np.nan,
        )
        for label in odd
    ]
    assert loss_of(broken, predictions, weights) == loss_of(odd, predictions, weights)


def test_shares_and_missing_predictions(data):
    labels, predictions = data
    energies = [energy for energy, _, _ in predictions]
    parts = compute_loss(LossWeights(1.0, 0.0, 0.0), labels, energies)
    assert parts.shares == {"energy": 1.0, "force": 0.0, "stress": 0.0}
    with pytest.raises(SettingsError, match="needs a prediction of the forces"):
        compute_loss(LossWeights(1.0, 1.0), labels, energies)


@pytest.mark.parametrize(("energy_per", "power"), [("structure", 3), ("sqrt_atom", 2), ("atom", 1)])
def test_auto_weights(data, energy_per, power):
    labels, _ = data
    listed = np.arange(len(labels), dtype=float)
    weights = LossWeights.from_labels(labels, listed, energy_per=energy_per)
    n = np.array([label.n_atoms for label in labels])
    volume = np.array([label.volume for label in labels]) / n
    stress = listed * [label.stress is not None for label in labels]
    assert weights.force == 1.0
    assert weights.energy == pytest.approx(150**2 / np.average(n, weights=listed) ** power)
    assert weights.stress == pytest.approx(9 * np.average(volume, weights=stress) ** 2 / np.average(n, weights=stress))
    assert LossWeights.from_labels(labels, energy=3.0, force=2.0, stress=0.0) == LossWeights(3.0, 2.0, 0.0)
    bare = [replace(label, stress=None) for label in labels]
    assert LossWeights.from_labels(bare).stress == 0.0


def test_auto_weights_make_150_mev_per_atom_weigh_as_a_force(data):
    # One size of cell: then a row of energy per atom has the factor 150, a force component 1, a virial per atom 3.
    labels = [label for label in data[0] if label.n_atoms == 4]
    assert labels
    for energy_per, power in POWERS.items():
        weights = LossWeights.from_labels(labels, energy_per=energy_per)
        # Times N_atoms, a force component has weight 1, and N_atoms = 4 N_cfg.
        assert 4 * weights.energy / 4**power == pytest.approx((150 / 4) ** 2)


def test_bad_weights_are_told(data):
    labels, _ = data
    with pytest.raises(SettingsError, match="energy_weight is -1"):
        LossWeights(-1.0)
    with pytest.raises(SettingsError, match="all 0"):
        LossWeights(0.0, 0.0, 0.0)
    with pytest.raises(SettingsError, match="energy_per='volume' is unknown"):
        LossWeights(1.0, energy_per="volume")
    with pytest.raises(SettingsError, match="energy_weight='big'"):
        LossWeights.from_labels(labels, energy="big")
    with pytest.raises(SettingsError, match=r"shape \(3,\) for 14 structures"):
        structure_weights(labels, np.ones(3))
    with pytest.raises(SettingsError, match=r"sample_weight of structure 2 is -1"):
        structure_weights(labels, [1, 1, -1] + [1] * 11)
    with pytest.raises(SettingsError, match="config_type 'slab' is nan"):
        structure_weights(labels, None, {"slab": np.nan})
    with pytest.raises(SettingsError, match="weights of all structures are 0"):
        structure_weights(labels, np.zeros(14))
    with pytest.raises(SettingsError, match=r"config_type \['slap'\].*\['bulk', 'slab'\]"):
        check_group_names({"slap": 1.0, "default": 1.0}, labels)
