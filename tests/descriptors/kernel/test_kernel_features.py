"""Kernel features: formulas, derivatives, whitening, reductions, evaluation."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from sklearn.base import clone

from linmlp import ACE, SOAP
from linmlp.descriptors import KernelFeatures
from linmlp.descriptors.kernel.representatives import make_representatives
from linmlp.exceptions import LinmlpWarning, SettingsError

INNER = {
    "soap": SOAP(4.5, 3, 2),
    "compressed soap": SOAP(4.5, 3, 2, compression="mu1nu1"),
    "ace": ACE(cutoff=4.5, max_degree=(5, 4, 3)),
}


@pytest.fixture(scope="module")
def structures():
    found = []
    for k in range(6):
        atoms = bulk("NaCl", "rocksalt", a=4.0 + 0.1 * k).repeat((1, 1, 2))
        atoms.rattle(0.15, seed=k)
        atoms.info["config_type"] = "small" if k < 2 else "large"
        found.append(atoms)
    return found


def kernel(descriptor, offset, p, q, zeta):
    """The kernel of two environments, from its formula."""
    scale = descriptor.feature_multiplicities()
    dot = np.sum(scale * p * q) + offset**2
    return (dot / np.sqrt((np.sum(scale * p * p) + offset**2) * (np.sum(scale * q * q) + offset**2))) ** zeta


@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize("zeta", [1, 4])
def test_scalar_products_are_kernel_values_of_representatives(structures, name, zeta):
    # With all environments as representatives nothing is lost: phi(p).phi(q) = k(p, q) - k(p, 0) - k(0, q) + k(0, 0).
    descriptor = KernelFeatures(clone(INNER[name]), n_sparse=12, zeta=zeta)
    few = structures[:2]
    with pytest.warns(LinmlpWarning, match="representatives instead of n_sparse=12"):
        descriptor.fit(few)
    inner = descriptor.descriptor_
    pairs = descriptor.pairs(few[0])
    features = descriptor.compute_features(pairs)
    kinds = inner.element_indices(pairs.numbers)
    n = inner.n_features_out_ // 2
    spectra = inner.environment_features(pairs)
    for i in range(len(few[0])):
        for j in range(len(few[0])):
            if kinds[i] != kinds[j]:
                assert features[i] @ features[j] == 0.0
                continue
            z = kinds[i]
            of = slice(z * n, (z + 1) * n)
            r = descriptor.representatives_[z]
            lone = r.lone / np.sqrt(inner.feature_multiplicities())
            p, q = spectra[i, of], spectra[j, of]
            exact = kernel(inner, r.offset, p, q, zeta)
            p_lone, q_lone, own = (kernel(inner, r.offset, a, b, zeta) for a, b in ((p, lone), (q, lone), (lone, lone)))
            if zeta == 1 and r.n_kept < len(r.vectors):
                continue
            # The lone atom is no representative: what it has outside of their span is missing.
            missing = own - r.lone_values @ r.whitening @ (r.whitening.T @ r.lone_values)
            found = features[i] @ features[j] + missing
            assert found == pytest.approx(exact - p_lone - q_lone + own, abs=1e-7)


@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize("zeta", [1, 2, 2.5, 4])
def test_derivatives(structures, name, zeta):
    descriptor = KernelFeatures(clone(INNER[name]), n_sparse=6, zeta=zeta).fit(structures)
    atoms = structures[3]
    energy, d_positions, d_strain = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(descriptor.pairs(atoms), energy, d_positions, d_strain)
    np.testing.assert_allclose(energy, descriptor.transform([atoms])[0], atol=1e-12)
    step = 1e-3

    def moved(h, i=1, axis=2):
        copy = atoms.copy()
        copy.positions[i, axis] += h
        return copy

    def stretched(h):
        copy = atoms.copy()
        copy.set_cell(copy.cell.array * [1 + h, 1, 1], scale_atoms=True)
        return copy

    for change, row in ((moved, d_positions[5]), (stretched, d_strain[0])):
        sums = [descriptor.transform([change(k * step)])[0] for k in (2, 1, -1, -2)]
        numerical = (8 * (sums[1] - sums[2]) - (sums[0] - sums[3])) / (12 * step)
        scale = max(np.abs(d_positions).max(), np.abs(d_strain).max())
        assert np.abs(numerical - row).max() < 1e-8 * scale


@pytest.mark.parametrize("name", INNER)
def test_evaluation_is_that_of_the_rows(structures, name):
    descriptor = KernelFeatures(clone(INNER[name]), n_sparse=6).fit(structures)
    atoms = structures[4]
    pairs = descriptor.pairs(atoms)
    energy, d_positions, d_strain = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(pairs, energy, d_positions, d_strain)
    coefficients = np.random.default_rng(0).normal(size=descriptor.n_features_out_)
    energies, forces, strain = descriptor.evaluator(coefficients).compute(pairs)
    np.testing.assert_allclose(energies, descriptor.compute_features(pairs) @ coefficients, atol=1e-11)
    np.testing.assert_allclose(-forces.ravel(), d_positions @ coefficients, atol=1e-10)
    np.testing.assert_allclose(strain.sum(axis=0), d_strain @ coefficients, atol=1e-10)
    pulled = descriptor.pull_back(pairs, np.tile(coefficients, (len(atoms), 1)))
    np.testing.assert_allclose(pulled[0], forces, atol=1e-11)
    np.testing.assert_allclose(pulled[1], strain, atol=1e-11)


def test_batches_of_centers_add_up(structures, monkeypatch):
    descriptor = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=6).fit(structures)
    atoms = structures[0].repeat((2, 2, 1))
    pairs = descriptor.pairs(atoms)
    rows = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(pairs, *rows)
    monkeypatch.setattr("linmlp.descriptors.kernel.descriptor.BATCH_ROWS", 100)
    batched = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(pairs, *batched)
    for a, b in zip(rows, batched, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("selection", ["fps", "cur", "random"])
def test_selections_are_different_environments(structures, selection):
    descriptor = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=7, selection=selection).fit(structures)
    for r in descriptor.representatives_:
        assert len(r.vectors) == 7
        distances = 2 - 2 * (r.vectors @ r.vectors.T) ** 4
        assert distances[np.triu_indices(7, 1)].min() > 1e-10
    again = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=7, selection=selection).fit(structures)
    np.testing.assert_array_equal(again.representatives_[0].vectors, descriptor.representatives_[0].vectors)


def test_quota_of_a_group(structures):
    descriptor = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=5, per_group={"small": 3}).fit(structures)
    small = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=4).fit(structures[:2])
    of_small = [
        small.descriptor_.environment_features(small.pairs(atoms)) * np.tile(small._scale, 2)
        for atoms in structures[:2]
    ]
    n = small.descriptor_.n_features_out_ // 2
    units = np.concatenate([f[:, n:] for f in of_small])
    units = units[np.any(units, axis=1)]
    units /= np.linalg.norm(units, axis=1)[:, None]
    closest = np.abs(descriptor.representatives_[1].vectors[:, None] - units).max(axis=-1).min(axis=1)
    assert np.all(closest[:3] < 1e-12)
    with pytest.raises(SettingsError, match="per_group wants 9"):
        KernelFeatures(SOAP(4.5, 3, 2), n_sparse=5, per_group={"small": 9}).fit(structures)
    with pytest.raises(SettingsError, match="per_group names tiny"):
        KernelFeatures(SOAP(4.5, 3, 2), n_sparse=5, per_group={"tiny": 2}).fit(structures)


def test_identical_environments_and_too_many(structures):
    perfect = [bulk("Si"), bulk("Si").repeat(2)]
    with pytest.warns(LinmlpWarning, match="1 representatives instead of n_sparse=10; no more of the 18 environments"):
        descriptor = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=10).fit(perfect)
    assert descriptor.n_features_out_ == 1
    assert len(descriptor.notes_) == 1


def test_an_element_in_one_structure_only(structures):
    odd = structures[0].copy()
    odd.symbols[0] = "Br"
    with pytest.warns(LinmlpWarning, match="Br: 1 representatives instead of n_sparse=6"):
        descriptor = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=6).fit([*structures, odd])
    assert [r.n_kept for r in descriptor.representatives_] == [6, 6, 1]


def test_a_lone_atom_has_no_features(structures):
    for inner in INNER.values():
        descriptor = KernelFeatures(clone(inner), n_sparse=4).fit(structures)
        assert np.abs(descriptor.transform([Atoms("Na"), Atoms("Cl")])).max() < 1e-12


def test_state(structures):
    descriptor = KernelFeatures(SOAP(4.5, 3, 2), n_sparse=6, per_group={"small": 2}).fit(structures)
    again = KernelFeatures.from_state(*descriptor.to_state())
    np.testing.assert_array_equal(again.transform(structures), descriptor.transform(structures))
    assert clone(again).get_params()["descriptor__n_max"] == 3
    assert len(descriptor.get_feature_names_out()) == descriptor.n_features_out_


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"zeta": 0.5}, "zeta=0.5"),
        ({"n_sparse": 0}, "n_sparse=0"),
        ({"n_candidates": 0}, "n_candidates=0"),
        ({"selection": "best"}, "selection='best'"),
        ({"descriptor": 3}, "descriptor=3 is none"),
    ],
)
def test_arguments_that_cannot_be_used(settings, message):
    with pytest.raises(SettingsError, match=message):
        KernelFeatures(**settings).fit([bulk("Si")])


def test_representatives_that_others_stand_for_cost_nothing():
    # Random environments with five features: kernel functions of exponent 1 and 2 span 5 and 15 directions.
    features = np.random.default_rng(0).uniform(size=(60, 5))
    for zeta, n_directions in ((1.0, 5), (2.0, 15)):
        made, n_dropped = make_representatives(features, np.zeros(5), 0.0, zeta)
        assert made.n_kept == n_directions
        assert len(made.vectors) == n_directions
        assert n_dropped == 60 - n_directions
        values = made.powers(made.cosines(features)[0])[0] @ made.whitening
        units = features / np.linalg.norm(features, axis=1)[:, None]
        np.testing.assert_allclose(values @ values.T, (units @ units.T) ** zeta, atol=1e-9)
