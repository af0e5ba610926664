"""Committees, sums of features and leverages of kernel potentials, against evaluators and features of every atom."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from sklearn.base import clone

from linmlp import ACE, SOAP
from linmlp.descriptors import Descriptor, JoinedDescriptors, KernelFeatures
from linmlp.descriptors.evaluators import EvaluatorAndFeatures
from linmlp.exceptions import SettingsError
from tests.naive.quadratic_form import NaiveForm

SOAP_KERNEL = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=6)
CASES = {
    "soap": SOAP_KERNEL,
    "zeta 1": KernelFeatures(SOAP(4.5, 3, 2), n_sparse=6, zeta=1),
    "ace": KernelFeatures(ACE(cutoff=4.5, max_degree=(5, 4, 3)), n_sparse=6, zeta=2.5),
    "joined": JoinedDescriptors([ACE(cutoff=4.5, order=1, max_degree=5), SOAP_KERNEL]),
}


@pytest.fixture(scope="module")
def structures():
    found = []
    for k in range(6):
        atoms = bulk("NaCl", "rocksalt", a=4.0 + 0.1 * k).repeat((1, 1, 2))
        atoms.rattle(0.15, seed=k)
        found.append(atoms)
    return found


@pytest.fixture(scope="module", params=CASES)
def descriptor(request, structures):
    return clone(CASES[request.param]).fit(structures)


def random_form(descriptor):
    """A form of all features that ties no two elements together."""
    rng, n = np.random.default_rng(8), descriptor.n_features_out_
    owner = np.array([str(name).split("|")[0] for name in descriptor.get_feature_names_out()])
    return NaiveForm(np.tril(rng.normal(size=(n, n))) * (owner[:, None] == owner) + 2.0 * np.eye(n))


def assert_close(result, wanted):
    np.testing.assert_allclose(result, wanted, atol=1e-10 * max(np.abs(wanted).max(initial=0.0), 1.0))


@pytest.mark.parametrize("summed", [None, [0, 3]])
def test_judged(descriptor, structures, summed, monkeypatch):
    monkeypatch.setattr("linmlp.descriptors.kernel.evaluator.CHUNK", 3)
    coefficients, *members = np.random.default_rng(0).normal(size=(4, descriptor.n_features_out_))
    features = None if summed is None else np.array(summed)
    form = random_form(descriptor)
    judging = descriptor.judging_evaluator(coefficients, np.array(members), form, features)
    for atoms in (structures[1], structures[2].repeat((2, 1, 1)), Atoms("Na"), Atoms("Cl2", [[0, 0, 0], [0, 0, 2]])):
        pairs = descriptor.pairs(atoms)
        judged = judging.compute(pairs)
        for result, wanted in zip(judged[:3], descriptor.evaluator(coefficients).compute(pairs), strict=True):
            assert_close(result, wanted)
        for result, member in zip(judged.member_forces, members, strict=True):
            assert_close(result, descriptor.evaluator(member).compute(pairs)[1])
        phi = descriptor.compute_features(pairs)
        wanted = phi.sum(axis=0)
        if summed is not None:
            wanted[np.setdiff1d(np.arange(len(wanted)), summed)] = 0.0
        assert_close(judged.feature_sums, wanted)
        assert_close(judged.leverages, form(phi))
        sums = descriptor.summing_evaluator(coefficients, features).compute(pairs)
        assert_close(sums[3], phi.sum(axis=0) if summed is None else wanted[summed])
        for result, one in zip(sums[:3], judged[:3], strict=True):
            assert_close(result, one)


def test_committee(descriptor, structures):
    members = np.random.default_rng(1).normal(size=(3, descriptor.n_features_out_))
    pairs = descriptor.pairs(structures[3])
    together = descriptor.committee(members).compute(pairs)
    for result, wanted in zip(together, Descriptor.committee(descriptor, members).compute(pairs), strict=True):
        assert result.shape == wanted.shape
        assert_close(result, wanted)
    for wrong in (members[:, 1:], members[:0]):
        with pytest.raises(SettingsError, match="of a committee"):
            descriptor.committee(wrong)
        with pytest.raises(SettingsError, match="of a committee"):
            descriptor.judging_evaluator(members[0], wrong, random_form(descriptor))


@pytest.mark.parametrize("name", ["soap", "ace"])
def test_several_energies_are_pulled_back_at_once(name, structures):
    inner = clone(CASES[name].descriptor).fit(structures)
    pairs = inner.pairs(structures[0])
    weights = np.random.default_rng(2).normal(size=(3, len(structures[0]), inner.n_features_out_ // 2))
    together = inner.pull_back_own(pairs, weights)
    for result, wanted in zip(together, Descriptor.pull_back_own(inner, pairs, weights), strict=True):
        assert_close(result, wanted)


def test_threads_change_nothing(structures):
    descriptor = clone(SOAP_KERNEL).fit(structures)
    coefficients, *members = np.random.default_rng(4).normal(size=(3, descriptor.n_features_out_))
    pairs = descriptor.pairs(structures[0].repeat((4, 4, 4)))
    judging = descriptor.judging_evaluator(coefficients, np.array(members), random_form(descriptor))
    for result, wanted in zip(judging.compute(pairs, n_threads=5), judging.compute(pairs), strict=True):
        assert_close(result, wanted)
    plain = descriptor.evaluator(coefficients)
    for result, wanted in zip(plain.compute(pairs, n_threads=5), plain.compute(pairs), strict=True):
        assert_close(result, wanted)


def test_what_any_descriptor_does_agrees(structures):
    descriptor = clone(SOAP_KERNEL).fit(structures)
    coefficients, *members = np.random.default_rng(3).normal(size=(3, descriptor.n_features_out_))
    form, pairs = random_form(descriptor), descriptor.pairs(structures[0])
    slow = EvaluatorAndFeatures(descriptor, coefficients, np.array(members), form, None).compute(pairs)
    fast = descriptor.judging_evaluator(coefficients, np.array(members), form).compute(pairs)
    for result, wanted in zip(fast, slow, strict=True):
        assert_close(result, wanted)
