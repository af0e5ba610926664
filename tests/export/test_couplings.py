"""Terms of invariants: known ones, symmetry, and no change under rotations."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from linmlp.descriptors.ace.coupling import clebsch_gordan
from linmlp.export.couplings import fold, terms_of

CHANNELS = {
    "order 2": ((0, 1, 2), (0, 2, 2)),
    "order 3": ((0, 1, 1), (1, 0, 2), (0, 0, 3)),
    "order 4, L = 2": ((0, 1, 1), (1, 0, 1), (0, 0, 2), (0, 3, 2), (-2, 0, 2)),
    "order 4, L = 1": ((0, 1, 1), (1, 0, 2), (0, 0, 2), (0, 3, 3), (-2, 0, 1)),
}
"""The last entry of order 4 is the angular momentum of the pairs."""


def test_order_two():
    channels, terms = terms_of(((0, 1, 1), (0, 2, 1)))
    assert channels == ((0, 1, 1), (0, 2, 1))
    assert terms == {(-1, 1): -1.0, (0, 0): 1.0, (1, -1): -1.0}


def test_order_three_is_the_formula():
    channels, terms = terms_of(CHANNELS["order 3"])
    (l1, l2, l3) = (l for _, _, l in channels)
    assert len(terms) == sum(abs(a + b) <= l3 for a in range(-l1, l1 + 1) for b in range(-l2, l2 + 1))
    for (m1, m2, m3), value in terms.items():
        assert m3 == -m1 - m2
        assert value == pytest.approx((-1) ** m3 * clebsch_gordan(l1, m1, l2, m2, l3, m1 + m2))


@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
def test_invariance(channels):
    """Real parts of products of harmonics of different directions."""
    rng = np.random.default_rng(3)
    ordered, terms = terms_of(channels)
    ls = [l for _, _, l in ordered]
    vectors = rng.normal(size=(len(ls), 3))
    values = [_sum_products(ls, terms, rotation.apply(vectors)) for rotation in Rotation.random(4, rng=rng)]
    assert max(map(abs, values)) > 1e-3
    np.testing.assert_allclose(values, values[0], rtol=1e-12)


def test_pairs_of_order_four():
    """With L = 0 the invariant is the product of those of the pairs: <l m l -m | 0 0> = (-1)^(l-m) / sqrt(2l + 1)."""
    a, b, c, d = (0, 1, 2), (0, 2, 2), (0, 1, 1), (0, 2, 1)
    terms, left, right = terms_of((a, b, c, d, (-2, 0, 0)))[1], terms_of((a, b))[1], terms_of((c, d))[1]
    for (m1, m2, m3, m4), value in terms.items():
        assert value == pytest.approx((-1) ** (2 + 1) * left[m1, m2] * right[m3, m4] / np.sqrt(5 * 3))
    assert len(terms) == 5 * 3


def _sum_products(ls, terms, vectors):
    x, y, z = (vectors / np.linalg.norm(vectors, axis=1)[:, None]).T
    theta, phi = np.arccos(z), np.arctan2(y, x)
    total = 0.0
    for ms, value in terms.items():
        factors = [sph_harm_y(l, m, theta[t], phi[t]) for t, (l, m) in enumerate(zip(ls, ms, strict=True))]
        total += value * np.prod(factors).real
    return total


@pytest.mark.parametrize(
    "function",
    [*CHANNELS.values(), ((0, 1, 2),) * 3, ((1, 0, 2), (0, 3, 1), (0, 0, 1)), (*((0, 1, 1),) * 4, (-2, 0, 2))],
)
def test_fold_keeps_the_sum(function):
    """For sums A with A(l, -m) = (-1)^m conj A(l, m) and equal channels with equal A, with fewer terms."""
    rng = np.random.default_rng(5)
    (channels, terms), A = terms_of(function), {}
    for channel in channels:
        for m in range(channel[2] + 1):
            value = complex(*rng.normal(size=2)) if m else complex(rng.normal())
            A[channel, m] = value
            A[channel, -m] = (-1) ** m * value.conjugate()
    ordered, folded = fold(channels, terms)
    assert ordered == tuple(sorted(channels))
    assert len(folded) < len(terms)

    def total(order, of_terms):
        return sum(v * np.prod([A[c, m] for c, m in zip(order, ms, strict=True)]).real for ms, v in of_terms.items())

    assert total(ordered, folded) == pytest.approx(total(channels, terms), rel=1e-13)


def test_fold_of_an_odd_sum_of_l_is_nothing():
    """Such a product changes its sign under reflection; with one structure and its mirror image it must vanish."""
    assert fold(*terms_of(((0, 0, 1), (0, 1, 1), (0, 2, 1))))[1] == {}
