"""Time of what comes with an ACE evaluation, in units of one: committees, sums of features, grades of atoms.

1000 atoms of diamond silicon as in `benchmarks.speed.md_step`, energies, forces and strain derivatives in one thread.
"514 functions" is the set of that benchmark, "750 functions" has the default degrees, "1314" those of a wide pool.

    committee      10 sets of coefficients together
    with sums      the features summed over atoms beside the energy, for its standard deviation
    judged         energy and forces of a potential, the forces of 10 more, sums of features, leverages of all atoms
    rows           the sums of features from the loop that makes design rows, on their own
    selected       400 coefficients that are not zero among 1314, against all of them

Then the methods that users call, on potentials with random coefficients and the repulsive core. The time of each is
given in units of `predict_forces`, which searches the neighbors, too; and in evaluations: one plus what it takes on
top of `predict_forces`. "MD step" is a call of the calculator, with a list of neighbors that is still valid, in units
of one without uncertainties.

Processor times of one thread, the best of many calls, interleaved; compilation is not timed.

    python -m benchmarks.speed.committee [--tiny] [--seconds S]
"""

import argparse
import time

import numpy as np

from benchmarks.speed import rows
from benchmarks.speed.md_step import CUTOFF, best_times, make_parameters, make_silicon
from linmlp import ACE, LinearPotential
from linmlp.descriptors.ace.committee import AceCommittee
from linmlp.descriptors.ace.evaluator import AceEvaluator
from linmlp.descriptors.ace.judging_evaluator import AceJudgingEvaluator
from linmlp.descriptors.ace.presets import default_degrees
from linmlp.descriptors.ace.rows import AceRows
from linmlp.descriptors.ace.summing_evaluator import AceSummingEvaluator
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import find_pairs
from linmlp.potentials.uncertainty import Uncertainty
from linmlp.potentials.uncertainty.atom_statistics import AtomStatistics
from linmlp.potentials.uncertainty.calibration import Calibration
from linmlp.potentials.uncertainty.grade import Grade
from linmlp.potentials.uncertainty.leverage import AtomLeverage
from linmlp.potentials.uncertainty.novelty import Novelty
from linmlp.potentials.uncertainty.posterior import Posterior
from linmlp.structures import ReferenceEnergies, zbl_from_closest_approaches

N_MEMBERS = 10
N_SELECTED = 400
WIDE_DEGREES = (18, 15, 13)


def make_coefficients(parameters, n_members):
    """Return random coefficients (n_members, n_features)."""
    return np.random.default_rng(1).normal(size=(n_members, parameters.n_features))


def measure_set(parameters, pairs, seconds):
    """Print the line of a set of functions."""
    coefficients = make_coefficients(parameters, N_MEMBERS)
    plain = AceEvaluator(parameters, coefficients[0])
    committee = AceCommittee(parameters, coefficients)
    summing = AceSummingEvaluator(parameters, coefficients[0])
    judging = AceJudgingEvaluator(parameters, coefficients[0], coefficients, make_leverage(parameters))
    design, sums = AceRows(parameters), np.empty(parameters.n_features)
    one, members, summed, judged, of_rows = best_times(
        [
            lambda: plain.compute(pairs),
            lambda: committee.compute(pairs),
            lambda: summing.compute(pairs),
            lambda: judging.compute(pairs),
            lambda: design.write(pairs, sums, None, None),
        ],
        seconds,
        time.thread_time,
    )
    print(
        f"{len(parameters.functions):9d} {one / len(pairs.numbers) * 1e6:9.2f} {members / one:12.2f}"
        f" {summed / one:10.2f} {judged / one:7.2f} {of_rows / one:7.2f}"
    )
    return one


def make_leverage(parameters):
    """Return the leverage among atoms with random features."""
    return AtomLeverage.of(make_statistics(parameters))


def make_statistics(parameters):
    """Return the statistics of atoms with random features."""
    n = parameters.n_features
    statistics = AtomStatistics(parameters.numbers, n)
    statistics.add(np.random.default_rng(3).normal(size=(2 * n, n)), np.full(2 * n, parameters.numbers[0]))
    return statistics


def make_potential(parameters):
    """Return a potential with random coefficients that knows uncertainties, as if it had been fitted."""
    n, rng = parameters.n_features, np.random.default_rng(1)
    settings = {
        "arguments": {"cutoff": parameters.cutoff, "max_degree": 1},
        "max_degree": (1, 1, 1),
        **{name: getattr(parameters, name) for name in ("numbers", "cutoff", "scaling", "functions")},
    }
    arrays = {name: getattr(parameters, name) for name in ("radial_map", "pair_map", "inner", "inner_width")}
    statistics, sums, counts = make_statistics(parameters), rng.normal(size=(40, n)), np.full((40, 1), 8.0)
    grade = Grade((parameters.numbers[0],), AtomLeverage.of(statistics), Novelty.of(statistics, sums, counts), 1.0, 1.0)
    lower = np.linalg.cholesky(np.eye(n) + 0.1)
    posterior = Posterior(lower, np.ones(n), 1.0, np.zeros((1, n)))
    calibration = Calibration.fit(*rng.uniform(0.5, 1.5, (2, 400)), np.arange(400) // 4)
    potential = LinearPotential()
    potential.descriptor_, potential.coef_ = ACE.from_state(settings, arrays), rng.normal(size=n)
    potential.reference_ = ReferenceEnergies("zero", ("Si",), np.zeros(1))
    potential.baselines_ = (zbl_from_closest_approaches(["Si"], [[1.8]]),)
    members = posterior.sample(N_MEMBERS)
    potential.uncertainty_ = Uncertainty(posterior, members, grade, calibration, calibration)
    return potential


def make_step(potential, atoms, uncertainty):
    """Return a call of the calculator for atoms that moved a little."""
    calculator, atoms = potential.calculator(n_threads=1, uncertainty=uncertainty), atoms.copy()
    sign = [1.0]

    def step():
        sign[0] *= -1.0
        atoms.positions[0, 0] += 1e-3 * sign[0]
        calculator.calculate(atoms, ["energy", "forces"])

    return step


def measure_methods(parameters, one, atoms, seconds):
    """Print the line of the methods that users call; `one` is the time of an evaluation."""
    potential = make_potential(parameters)
    forces, energy_std, uncertain, plain_step, uncertain_step = best_times(
        [
            lambda: potential.predict_forces([atoms]),
            lambda: potential.predict([atoms], return_std=True),
            lambda: potential.predict_uncertainty([atoms]),
            make_step(potential, atoms, uncertainty=False),
            make_step(potential, atoms, uncertainty=True),
        ],
        seconds,
        time.thread_time,
    )
    print(
        f"{len(parameters.functions):9d} {forces / one:14.2f} {energy_std / forces:18.2f}"
        f" {1 + (energy_std - forces) / one:12.2f} {uncertain / forces:19.2f} {1 + (uncertain - forces) / one:12.2f}"
        f" {uncertain_step / plain_step:8.2f}"
    )


def measure_selected(parameters, n_selected, pairs, seconds):
    """Print how long a few of many functions take."""
    (dense,) = make_coefficients(parameters, 1)
    chosen = np.random.default_rng(2).choice(len(dense), size=n_selected, replace=False)
    selected = np.zeros_like(dense)
    selected[chosen] = dense[chosen]
    all_, few = AceEvaluator(parameters, dense), AceEvaluator(parameters, selected)
    with_sums = AceSummingEvaluator(parameters, selected, chosen)
    every, some, summed = best_times(
        [lambda e=e: e.compute(pairs) for e in (all_, few, with_sums)], seconds, time.thread_time
    )
    print(
        f"{n_selected} selected of {len(dense)}: {some / every:.2f} times as long as all"
        f" ({every / len(pairs.numbers) * 1e6:.2f} us/atom); with sums of the selected {summed / some:.2f} times that"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small sets, to see that it runs")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for each line")
    options = parser.parse_args(arguments)
    if options.tiny:
        repeat, seconds, n_selected = 1, 0.0, 5
        sets = [make_parameters(1, (3, 3, 2), 2, 4)]
    else:
        repeat, seconds, n_selected = 5, options.seconds, N_SELECTED
        sets = [make_parameters(1, (7, 14, 10), 5, 8)]
        sets += [rows.make_parameters(1, degrees, 6) for degrees in (default_degrees(1, 3, 6), WIDE_DEGREES)]
    atoms = make_silicon(repeat, sets[0].numbers)
    pairs = find_pairs(atoms, CUTOFF)
    print(f"{len(pairs.numbers)} atoms, {LANES} lanes; times relative to one evaluation")
    print(f"functions   us/atom {f'{N_MEMBERS} members':>12s} {'with sums':>10s} {'judged':>7s} {'rows':>7s}")
    times = [measure_set(parameters, pairs, seconds) for parameters in sets]
    measure_selected(sets[-1], n_selected, pairs, seconds)
    print("methods of LinearPotential; predict_forces in evaluations, the others in predict_forces and in evaluations")
    print(
        f"{'functions':>9s} {'predict_forces':>14s} {'predict return_std':>18s} {'evaluations':>12s}"
        f" {'predict_uncertainty':>19s} {'evaluations':>12s} {'MD step':>8s}"
    )
    for parameters, one in zip(sets, times, strict=True):
        measure_methods(parameters, one, atoms, seconds)


if __name__ == "__main__":
    main()
