"""Costs of ACE functions against the lists that the loops of energies and forces work through."""

import numpy as np
import pytest
from ase.build import bulk

from linmlp import ACE
from linmlp.descriptors.ace.basis import couples_of, factors, order_of
from linmlp.descriptors.ace.costs import RATES, compute_costs, count_neighbors, parts_around
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import find_pairs
from linmlp.solvers import FeatureCosts

SALT = bulk("LiCl", "rocksalt", a=5.1, cubic=True)
SALT.rattle(0.1, seed=0)
CUTOFF = 4.0


@pytest.fixture(scope="module")
def fitted():
    return ACE(CUTOFF, order=4, max_degree=(6, 5, 4, 3), max_l=3).fit([SALT])


def test_neighbors_are_those_within_the_cutoff(fitted):
    slab = SALT.copy()[:5]
    n_neighbors, fractions = count_neighbors(fitted.parameters_, [SALT, slab])
    numbers = np.concatenate([SALT.numbers, slab.numbers])
    wanted = np.zeros((2, 2))
    for atoms in (SALT, slab):
        pairs = find_pairs(atoms, CUTOFF)
        for i, j in zip(pairs.i, pairs.j, strict=True):
            wanted[int(atoms.numbers[i] == 17), int(atoms.numbers[j] == 17)] += 1
    np.testing.assert_allclose(n_neighbors * [[np.sum(numbers == 3)], [np.sum(numbers == 17)]], wanted)
    np.testing.assert_allclose(fractions, [np.mean(numbers == 3), np.mean(numbers == 17)])


def test_all_functions_together_cost_what_the_loops_do(fitted):
    """Parts are counted in the plan here: raw sums, channels, couples, and the products of order 3."""
    p = fitted.parameters_
    plan = AceEvaluator(p, np.ones(p.n_features))._plan
    columns = 2 * np.arange(4) + 1
    for z in range(2):
        names = parts_around(p, z, np.array([3.0, 5.0]))
        total = {kind: sum(c for name, c in names.items() if name[0] == kind) for kind in {name[0] for name in names}}
        counts = (plan.n_raw[z] * columns).sum(axis=1)
        assert total["raw"] == 3 * (3.0 * counts[0] + 5.0 * counts[1])
        assert total["radial"] == 5 * (plan.n_radial[z] @ [3.0, 5.0]) * RATES["radial"]
        rows, entries = plan.to_used, 0
        for b in range(rows.first_block[z], rows.first_block[z + 1]):
            terms = slice(4 * rows.first_term[b], 4 * rows.first_term[b + 1])
            entries += (2 * rows.l[b] + 1) * np.count_nonzero(rows.coefficient[terms])
        assert total["channel"] == 2 * entries + 2 * plan.coupled_start[z] // LANES
        wanted = 0
        for products, size, per_product in ((plan.real, 4, 3), (plan.paired, 4, 6), (plan.full, 2, 12)):
            groups = slice(size * products.first_group[z], size * products.first_group[z + 1])
            wanted += per_product * np.count_nonzero(products.a[groups] < plan.used_size[z])
        assert total["monomials"] == wanted
        first, last = plan.coupled.first_group[z], plan.coupled.first_group[z + 1]
        groups = slice(4 * plan.coupled.first_term[first], 4 * plan.coupled.first_term[last])
        coefficients = np.count_nonzero(plan.coupled.coefficient[groups])
        of_columns = 2 * (plan.used_size[z] - plan.coupled_start[z]) // LANES
        assert total["couple"] == pytest.approx(RATES["couple"] * (2 * coefficients + of_columns))


def test_own_costs_are_products_and_monomials(fitted):
    p = fitted.parameters_
    costs = FeatureCosts(*compute_costs(p, np.ones((2, 2)), np.array([0.25, 0.75])))
    n = len(p.functions)
    np.testing.assert_allclose(costs.own[n:], 3 * costs.own[:n])
    plan = AceEvaluator(p, np.ones(p.n_features))._plan
    order = np.array([order_of(f) for f in p.functions])
    for kind, name in ((plan.real, "real"), (plan.paired, "paired"), (plan.full, "full")):
        assert np.count_nonzero(kind.coefficient) > 0, name
    monomials = [np.count_nonzero(k.coefficient) / 2 for k in (plan.real, plan.paired, plan.full)]  # two centers
    assert 4 * costs.own[:n][order == 3].sum() == pytest.approx(2 * monomials[0] + 2 * monomials[1] + 4 * monomials[2])
    for own, f in zip(costs.own[:n], p.functions, strict=True):
        if order_of(f) == 2:
            assert own == 0.25 * (2 * f[0][2] + 1) * (1 if f[0] == f[1] else 2)
        elif order_of(f) == 4:
            a, b = couples_of(f)
            assert own == 0.25 * (2 * a[2] + 1) * (1 if a == b else 2)


def test_functions_of_channels_that_are_there_cost_their_products_alone():
    """Four radial functions are made anyway; the fifth costs its sums, its forces and itself."""
    fitted = ACE(CUTOFF, order=2, max_degree=(6, 8), max_l=1).fit([SALT])
    costs = FeatureCosts(*fitted.function_costs([SALT]))
    place = {f: k for k, f in enumerate(fitted.parameters_.functions)}
    square, product, fifth = (place[((0, 1, 1), (0, n, 1))] if n else place[((0, 0, 1), (0, 1, 1))] for n in (1, 0, 4))
    alone = costs.total([square])
    half, channel, columns = 0.5, 2 * 3, 3  # half of the atoms are such centers
    assert costs.total([square, product]) - alone == pytest.approx(half * (2 * columns + 2 * channel))
    near = count_neighbors(fitted.parameters_, [SALT])[0][0, 0]
    raw = near * (3 * columns + 5 * RATES["radial"])
    assert costs.total([square, fifth]) - alone == pytest.approx(half * (2 * columns + 6 * channel + raw))
    other = place[((0, 0, 1), (0, 0, 1))]
    assert costs.total([square, product, other]) - costs.total([square, product]) == pytest.approx(half * columns)


def test_channels_mixed_over_elements_need_the_sums_of_all():
    p = ACE(CUTOFF, order=3, max_degree=(6, 5, 4), max_l=2, channels=2).fit([SALT]).parameters_
    plan = AceEvaluator(p, np.ones(p.n_features))._plan
    columns = 2 * np.arange(3) + 1
    names = parts_around(p, 1, np.array([3.0, 5.0]))
    total = {kind: sum(c for name, c in names.items() if name[0] == kind) for kind in ("raw", "mixed")}
    counts = (plan.n_raw[1] * columns).sum(axis=1)
    assert total["raw"] == 3 * (3.0 * counts[0] + 5.0 * counts[1])
    mixed = {name[1:] for name in names if name[0] == "mixed"}
    assert total["mixed"] == sum(2 * 2 * (2 * l + 1) for _, l, _ in mixed)
    assert {density for density, _, _ in mixed} == {density for f in p.functions if len(f) > 1 for density, _, _ in f}


def test_elements_that_are_absent_cost_something(fitted):
    lithium = bulk("Li", cubic=True)
    costs = FeatureCosts(*fitted.function_costs([lithium] * 10))
    n = len(costs.own) // 2
    np.testing.assert_allclose(costs.own[:n], 20 * costs.own[n:])


def test_parts_of_features_are_those_of_their_factors(fitted):
    p = fitted.parameters_
    costs = compute_costs(p, np.ones((2, 2)), np.full(2, 0.5))
    assert costs.first[-1] == len(costs.part)
    assert len(costs.own) == p.n_features
    n = len(p.functions)
    for k, f in enumerate(p.functions):
        own, other = (set(costs.part[costs.first[v] : costs.first[v + 1]]) for v in (k, n + k))
        assert not own & other  # nothing is shared between centers
        assert len(own) == len(other) >= len(set(factors(f)))
