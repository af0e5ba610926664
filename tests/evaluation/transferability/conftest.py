"""Small potentials of bundled data, shared by the tests of transferability."""

from types import SimpleNamespace

import pytest

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon

SETTINGS = {"alpha": 1e-6, "energy_weight": 10.0, "force_weight": 1.0, "stress_weight": 50.0, "energy_per": "atom"}


@pytest.fixture(scope="session")
def silicon():
    """Bundled silicon and a potential with uncertainties; whatever is set by hand is not searched."""
    train, test = load_silicon()
    model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(5, 4)), uncertainty=True, **SETTINGS).fit(train)
    return SimpleNamespace(train=train, test=test, model=model)
