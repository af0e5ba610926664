"""The order of the energy's fluctuation in the time step."""

import numpy as np
import pytest
from ase.build import bulk

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.evaluation.md import Estimate, TimeSteps, check_time_steps
from linmlp.exceptions import SettingsError, StructureError


@pytest.fixture(scope="module")
def model():
    train, _ = load_silicon()
    settings = {"energy_weight": 1000.0, "energy_per": "atom", "alpha": 1e-6}
    return LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(8, 6)), **settings).fit(train[::2])


def test_order_of_known_fluctuations():
    steps = (0.5, 1.0, 2.0)
    exact = TimeSteps(
        steps, tuple(Estimate(0.3 * h**2, 0.03 * h**2) for h in steps), (Estimate(0.0, 0.0),) * 3, 1.0, 1.0
    )
    assert exact.order.value == pytest.approx(2.0)
    # Ten per cent of error at both ends of two doublings: sqrt(2) 0.1 / log(4).
    assert exact.order.error == pytest.approx(np.sqrt(2) * 0.1 / np.log(4))
    assert exact.to_dict()["order"]["value"] == exact.order.value


def test_a_smooth_potential_is_of_second_order(model):
    found = check_time_steps(model, bulk("Si", cubic=True), 300.0, (1.0, 2.0), time=1.0, equilibration=0.2)
    assert found.order.value == pytest.approx(2.0, abs=3.0 * found.order.error + 0.1)
    assert found.order.error < 0.5
    assert "to the power" in str(found)


def test_bad_input(model):
    atoms = bulk("Si", cubic=True)
    for settings, message in [
        ({"timesteps": [1.0]}, "two or more different"),
        ({"timesteps": [1.0, 1.0]}, "two or more different"),
        ({"time": -1.0}, "all must be above 0"),
        ({"time": 0.01}, "fewer than 50 steps"),
    ]:
        with pytest.raises(SettingsError, match=message):
            check_time_steps(model, atoms, 300.0, **settings)
    with pytest.raises(StructureError, match="Ge"):
        check_time_steps(model, bulk("Ge"), 300.0)
