"""Labelled toy structures whose potential is known, and models fitted to them, shared by the tests."""

import warnings
from types import SimpleNamespace

import pytest

from linmlp import LinearPotential
from tests.naive.known_model import WEIGHTS, KnownModel, small_ace


@pytest.fixture(scope="session")
def silicon_truth():
    """One element: a known linear potential and structures labelled by it."""
    return KnownModel.of(("Si",), seed=1)


@pytest.fixture(scope="session")
def carbide_truth():
    """Two elements."""
    return KnownModel.of(("C", "Si"), seed=2)


@pytest.fixture(scope="session")
def silicon_model(silicon_truth):
    """Default settings but for a small descriptor; with a repulsive core."""
    return fitted(silicon_truth)


@pytest.fixture(scope="session")
def carbide_model(carbide_truth):
    return fitted(carbide_truth)


@pytest.fixture(scope="session")
def mixed_carbide_model():
    """Two elements mixed to one channel."""
    channels = [[1.2, 0.7]]
    return fitted(KnownModel.of(("C", "Si"), seed=2, ace=small_ace(channels)), channels)


@pytest.fixture(scope="session")
def mixed_alloy_model():
    """Three elements mixed to two channels."""
    channels = [[1.0, 0.9, 1.1], [1.1, -0.4, -0.9]]
    return fitted(KnownModel.of(("C", "Si", "Ge"), seed=2, ace=small_ace(channels)), channels)


@pytest.fixture(scope="session")
def model_file(silicon_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "silicon.linmlp"
    silicon_model.save(path)
    return path


@pytest.fixture(params=["silicon", "carbide"])
def fitted_case(request):
    """A truth and the model fitted to it."""
    return SimpleNamespace(
        truth=request.getfixturevalue(f"{request.param}_truth"), model=request.getfixturevalue(f"{request.param}_model")
    )


def fitted(truth, channels=None):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return LinearPotential(small_ace(channels), alpha=1e-8, **WEIGHTS).fit(truth.structures)
