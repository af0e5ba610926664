"""Steps of a fit that no other test looks at."""

import numpy as np
import pytest

from linmlp import LinearPotential
from linmlp.potentials.sampling import sample_structures
from tests.naive.known_model import WEIGHTS, small_ace


@pytest.mark.parametrize(("form", "used"), [("auto", "qr"), ("gram", "gram")])
def test_qr_takes_over_where_gram_cannot_resolve_the_residual(silicon_truth, monkeypatch, form, used):
    # labels without noise: the residual vanishes; with no work allowed to QR, "auto" starts with the Gram form
    monkeypatch.setattr("linmlp.system.memory.QR_FLOPS", 0.0)
    model = LinearPotential(small_ace(), alpha=1e-12, baseline=None, form=form, **WEIGHTS).fit(silicon_truth.structures)
    assert model.form_ == used
    assert ("residual below the accuracy" in model.describe()) == (used == "gram")
    energies = [a.get_potential_energy() for a in silicon_truth.structures]
    np.testing.assert_allclose(model.predict(silicon_truth.structures), energies, rtol=1e-5 if used == "gram" else 1e-8)


def test_a_sample_is_spread_over_groups_and_keeps_to_its_size():
    groups, n_atoms = ["bulk"] * 300 + ["slab"] * 100, [10] * 400
    chosen = sample_structures(groups, n_atoms, most_atoms=1000, random_state=0)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 100
    assert sum(groups[i] == "slab" for i in chosen) == pytest.approx(25, abs=1)
    assert chosen == sample_structures(groups, n_atoms, 1000, 0) != sample_structures(groups, n_atoms, 1000, 1)


def test_a_small_set_is_its_own_sample():
    assert sample_structures(["a"] * 5, [1000] * 5, most_atoms=10, random_state=0) == [0, 1, 2, 3, 4]
