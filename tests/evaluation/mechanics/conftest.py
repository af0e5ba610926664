"""A small silicon potential, and crystals of which everything is known."""

import pytest
from ase.build import bulk
from ase.calculators.lj import LennardJones

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon

SHORT = 2.0 ** (1.0 / 6.0)
"""Where the pair potential of Lennard and Jones has its minimum, in units of sigma."""


@pytest.fixture(scope="session")
def small_silicon():
    train, _ = load_silicon()
    settings = {"energy_weight": 1000.0, "stress_weight": 300.0, "energy_per": "atom", "alpha": 1e-6}
    return LinearPotential(ACE(cutoff=4.5, order=2, max_degree=(8, 6)), **settings).fit(train[::2])


@pytest.fixture
def bonds():
    """Pairs that see nearest neighbors only, with a bond energy of 1 eV at 2.5 Å."""
    sigma = 2.5 / SHORT
    return LennardJones(sigma=sigma, epsilon=1.0 / (1.0 - shift(1.25 * 2.5 / sigma)), rc=1.25 * 2.5)


@pytest.fixture
def fcc():
    return bulk("Cu", a=2.5 * 2.0**0.5)


def shift(ratio):
    """Depth that the cut-off takes away, in units of epsilon."""
    return -4.0 * (ratio**-12 - ratio**-6)
