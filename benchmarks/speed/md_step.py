"""Time of one molecular-dynamics step with ACE: energies, forces and stress of silicon, per atom.

1000 atoms of diamond with 0.1 Å noise and 32 neighbors each; the search for neighbors is not timed, as a list with a
skin is used many times, but positions are gathered and forces scattered. The set "1 element" has 514 functions of order
1 to 3 (n < 8, l <= 5). "4 elements" has about as many third-order terms, of low degree as by default; "4 drawn" has as
many functions of each order around every element, drawn from all those of four elements, so that every element has all
the radial and angular functions of the first set. Same atoms, elements at random.

Work counts multiply-adds for actual neighbors, without padding: sums A; contractions with radial functions and forces;
radial functions and angular columns; radial maps, order 2 and products with their derivatives. The column "103k" is the
same time for 103 kflop per atom, the work of this set in the usual form (products of the two factors of smallest l, and
five sums over l per m in the forces), which this code does with less. "Single precision" is the same set with
precision="single". Wall time of the best of many calls, interleaved; compilation is not timed. The competitor is the
naive twin of the tests, which gives energies only.

    python -m benchmarks.speed.md_step [--tiny] [--seconds S]
"""

import argparse
import platform
import time
from types import SimpleNamespace

import numpy as np
from ase import units
from ase.build import bulk
from ase.md.verlet import VelocityVerlet

from benchmarks.speed.peak import WIDTH, measure_fma_peak
from linmlp.calculators import PotentialCalculator
from linmlp.descriptors.ace.basis import enumerate_functions
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.radial import SCALING
from linmlp.descriptors.ace.single_evaluator import AceSingleEvaluator
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import VerletList, find_pairs
from linmlp.potentials import Predictor
from linmlp.structures import ReferenceEnergies, zbl_from_closest_approaches
from tests.naive import ace as naive

CUTOFF = 5.5
SKIN = 0.5
NUMBERS = (14, 22, 40, 72)
USUAL_WORK = 103e3


def make_parameters(n_elements, degrees, max_l, max_n, n_drawn=None):
    """Return functions with n < max_n, or some of each order drawn from them, and random lower-triangular maps."""
    rng = np.random.default_rng(0)
    functions = [f for f in enumerate_functions(n_elements, degrees, max_l) if all(n < max_n for _, n, _ in f)]
    if n_drawn is not None:
        of_order = [[f for f in functions if len(f) == order] for order in range(1, len(degrees) + 1)]
        drawn = [rng.choice(len(all_), size=n, replace=False) for all_, n in zip(of_order, n_drawn, strict=True)]
        functions = [all_[k] for all_, some in zip(of_order, drawn, strict=True) for k in sorted(some)]
    pairs = (n_elements, n_elements)
    n_pair = 1 + max(n for f in functions if len(f) == 1 for _, n, _ in f)
    return AceParameters(
        numbers=NUMBERS[:n_elements],
        cutoff=CUTOFF,
        scaling=SCALING,
        functions=tuple(functions),
        radial_map=np.tril(rng.normal(size=(*pairs, max_l + 1, max_n, max_n))) + 2 * np.eye(max_n),
        pair_map=np.tril(rng.normal(size=(*pairs, n_pair, n_pair))),
        inner=np.zeros(pairs),
        inner_width=np.zeros(pairs),
    )


def make_evaluator(parameters):
    """Return an evaluator with random coefficients."""
    return AceEvaluator(parameters, np.random.default_rng(1).normal(size=parameters.n_features))


def make_silicon(repeat, numbers):
    """Return a cubic supercell with 0.1 Å noise and elements at random."""
    rng = np.random.default_rng(0)
    atoms = bulk("Si", cubic=True, a=5.431) * (repeat, repeat, repeat)
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    atoms.numbers = rng.permutation(np.resize(numbers, len(atoms)))
    return atoms


def count_work(evaluator, pairs):
    """Return the multiply-adds of a structure by kind of work; see the top."""
    parameters, plan, functions = evaluator.parameters, evaluator._plan, evaluator._functions
    kinds = parameters.element_indices(pairs.numbers)
    near = pairs.distances < parameters.cutoff
    n_elements, _, n_l = plan.n_raw.shape
    neighbors = np.zeros((n_elements, n_elements))
    np.add.at(neighbors, (kinds[pairs.i][near], kinds[pairs.j][near]), 1)
    columns = 2 * np.arange(n_l) + 1
    work = dict.fromkeys(("radial and angular", "A", "products", "forces"), 0.0)
    for z, e in np.ndindex(n_elements, n_elements):
        count, of_l = neighbors[z, e], plan.n_l[z, e]
        sums, per_column, per_lm = plan.n_raw[z, e] @ columns, of_l**2, of_l * (of_l + 1) // 2
        polynomials = 2 * (functions.n_distance + functions.n_envelope)
        work["A"] += count * sums
        work["forces"] += count * (2 * sums + per_column + 4 * (per_lm - of_l) - of_l + 6 * of_l + 20)
        work["radial and angular"] += count * (20 + polynomials + 5 * plan.n_radial[z, e] + 2 * per_lm + per_column)
    for z in range(n_elements):
        work["products"] += np.count_nonzero(kinds == z) * _count_products(plan, z)
    return work


def _count_products(plan, z):
    """Return the multiply-adds of one center for maps, order 2 and products, without the zeros that fill blocks."""
    total = 2 * plan.used_size[z] // LANES
    for rows in (plan.to_used, plan.order_two, plan.to_raw):
        for block in range(rows.first_block[z], rows.first_block[z + 1]):
            terms = slice(4 * rows.first_term[block], 4 * rows.first_term[block + 1])
            total += (2 * rows.l[block] + 1) * np.count_nonzero(rows.coefficient[terms])
    kinds = ((plan.real, 4, 3, 2), (plan.paired, 4, 6, 2), (plan.full, 2, 12, 4), (plan.coupled, 4, 3, 2))
    for products, size, per_product, per_term in kinds:
        groups = slice(products.first_group[z], products.first_group[z + 1])
        terms = slice(size * products.first_term[groups.start], size * products.first_term[groups.stop])
        n_products = np.count_nonzero(products.a[size * groups.start : size * groups.stop] < plan.used_size[z])
        total += per_product * n_products + per_term * np.count_nonzero(products.coefficient[terms])
    return total


def best_times(calls, seconds, clock=time.perf_counter):
    """Return the smallest time of each call by a clock, wall time by default, in turns."""
    best = np.full(len(calls), np.inf)
    for call in calls:
        call()
    end = time.perf_counter() + seconds
    while True:
        for k, call in enumerate(calls):
            start = clock()
            call()
            best[k] = min(best[k], clock() - start)
        if time.perf_counter() >= end:
            return best


def measure_set(name, evaluator, repeat, seconds, peak):
    """Print the line of a set, and return the time per atom of one thread."""
    atoms = make_silicon(repeat, evaluator.parameters.numbers)
    pairs, skinned = find_pairs(atoms, CUTOFF), VerletList(CUTOFF, SKIN).pairs(atoms)
    other = make_evaluator(evaluator.parameters)  # each evaluator remembers one list
    one, two, with_skin = best_times(
        [lambda: evaluator.compute(pairs), lambda: evaluator.compute(pairs, 2), lambda: other.compute(skinned)], seconds
    ) / len(atoms)
    work = count_work(evaluator, pairs)
    flops = 2 * sum(work.values()) / len(atoms)
    print(
        f"{name:12s} {len(evaluator.parameters.functions):5d} {len(atoms):5d} {one * 1e6:9.2f} {two * 1e6:9.2f}"
        f" {with_skin * 1e6:9.2f} {flops / 1e3:7.1f} {flops / one / 1e9:8.1f} {100 * flops / one / peak:7.1f}"
        f" {100 * USUAL_WORK / one / peak:7.1f}"
    )
    parts = ", ".join(f"{kind} {2e-3 * value / len(atoms):.1f}" for kind, value in work.items())
    print(
        f"{'':12s} kflop per atom: {parts}; neighbors {np.mean(pairs.distances < CUTOFF) * len(pairs) / len(atoms):.1f}"
    )
    return one


def measure_single(evaluator, repeat, seconds):
    """Print the ratio of double to single precision in one run, of evaluators with the same coefficients."""
    parameters = evaluator.parameters
    single = AceSingleEvaluator(parameters, np.random.default_rng(1).normal(size=parameters.n_features))
    atoms = make_silicon(repeat, parameters.numbers)
    pairs = find_pairs(atoms, CUTOFF)
    slow, fast, fast_two = best_times(
        [lambda: evaluator.compute(pairs), lambda: single.compute(pairs), lambda: single.compute(pairs, 2)], seconds
    ) / len(atoms)
    forces, wanted = single.compute(pairs)[1], evaluator.compute(pairs)[1]
    error = np.sqrt(np.mean((forces - wanted) ** 2) / np.mean(wanted**2))
    print(
        f"single precision: {fast * 1e6:.2f} us/atom, {fast_two * 1e6:.2f} with 2 threads; double takes"
        f" {slow / fast:.2f} times as long; forces differ by {error:.1e} of their root mean square"
    )


def measure_naive(evaluator, one):
    """Print the ratio to the naive twin for a few atoms."""
    p = evaluator.parameters
    atoms = make_silicon(1, p.numbers)
    pairs = find_pairs(atoms, CUTOFF)
    arguments = (pairs.numbers, p.numbers, pairs, CUTOFF, p.radial_map, p.pair_map, p.inner, p.inner_width)
    (slow,) = best_times([lambda: naive.features(p.functions, len(p.numbers), *arguments)], 0.0) / len(atoms)
    print(f"naive twin in numpy, energies only: {slow * 1e6:.0f} us/atom, {slow / one:.0f} times as long")


def measure_overhead(evaluator, seconds):
    """Print the time of a call for one isolated atom."""
    atoms = make_silicon(1, evaluator.parameters.numbers)[:1]
    atoms.pbc = False
    pairs = find_pairs(atoms, CUTOFF)
    (overhead,) = best_times([lambda: evaluator.compute(pairs)], seconds)
    print(f"one isolated atom, the time that every call takes: {overhead * 1e6:.0f} us")


def measure_calculator(evaluator, repeat, seconds):
    """Print a whole step of ASE's VelocityVerlet, with ZBL and a Verlet skin, against the bare evaluation."""
    atoms = make_silicon(repeat, NUMBERS[:1])
    descriptor = SimpleNamespace(cutoff_=CUTOFF, evaluator=lambda _: evaluator)
    zbl = zbl_from_closest_approaches(["Si"], [[1.8]])
    predictor = Predictor(descriptor, np.zeros(0), ReferenceEnergies("zero", ("Si",), np.zeros(1)), (zbl,))
    atoms.calc = PotentialCalculator(predictor, skin=SKIN, n_threads=1)
    pairs = find_pairs(atoms, CUTOFF)
    dynamics = VelocityVerlet(atoms, 1e-9 * units.fs)  # random coefficients: atoms must stay, but not quite
    whole, bare = best_times([dynamics.step, lambda: evaluator.compute(pairs)], seconds)
    print(
        f"VelocityVerlet, {len(atoms)} atoms: step {1e6 * whole:.0f} us, {whole / bare:.2f} times the bare evaluation"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small sets, to see that it runs")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for each line")
    options = parser.parse_args(arguments)
    seconds, repeat = (0.0, 2) if options.tiny else (options.seconds, 5)
    if options.tiny:
        sets = {"1 element": (1, (3, 3, 2), 2, 4), "4 elements": (4, (1, 1, 1), 1, 2)}
    else:
        sets = {
            "1 element": (1, (7, 14, 10), 5, 8),
            "4 elements": (4, (7, 4, 4), 3, 8),
            "4 drawn": (4, (7, 14, 10), 5, 8, (32, 149, 357)),
        }
    evaluators = {name: make_evaluator(make_parameters(*settings)) for name, settings in sets.items()}
    peak = measure_fma_peak(0.01 if options.tiny else 0.5)
    print(f"{platform.processor() or platform.machine()}: {peak / 1e9:.1f} GFLOP/s peak of one core, {WIDTH} lanes")
    print(f"{'':12s} {'func.':>5s} {'atoms':>5s} {'us/atom':>9s} {'2 threads':>9s} {f'skin {SKIN}':>9s}", end=" ")
    print(f"{'kflop':>7s} {'GFLOP/s':>8s} {'% peak':>7s} {'103k %':>7s}")
    times = [measure_set(name, evaluator, repeat, seconds, peak) for name, evaluator in evaluators.items()]
    for name, one in list(zip(sets, times, strict=True))[1:]:
        print(f"{name}: {one / times[0]:.2f} times as long as 1 element")
    for name in ("1 element", "4 drawn"):
        if name in evaluators:
            print(name, end=": ")
            measure_single(evaluators[name], repeat, seconds)
    measure_naive(evaluators["1 element"], times[0])
    measure_overhead(evaluators["1 element"], min(seconds, 0.5))
    measure_calculator(evaluators["1 element"], repeat - 1, seconds)


if __name__ == "__main__":
    main()
