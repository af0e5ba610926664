"""A small front of bundled silicon."""

import pytest

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.evaluation.front import compute_front

POOL = ACE(4.0, order=4, max_degree=(6, 5, 3, 2))
DEGREES = ((4, 3), (6, 5, 3), (6, 5, 3, 2))
SIZES = (5, 12)


@pytest.fixture(scope="session")
def silicon():
    return load_silicon()[0][:36]


@pytest.fixture(scope="session")
def settings():
    return LinearPotential(POOL, n_folds=3, n_jobs=1, fill_holes=False)


@pytest.fixture(scope="session")
def front(silicon, settings):
    return compute_front(silicon, settings, sizes=SIZES, degrees=DEGREES, cv=3)
