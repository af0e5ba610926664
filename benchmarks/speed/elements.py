"""Time of one molecular-dynamics step with ACE for 1, 2, 4 and 8 elements: energies, forces and stress, per atom.

A bcc crystal with 0.1 Å noise, 1024 atoms, 26 neighbors within 5 Å and a skin of 0.5 Å, the same positions for all,
with elements at random. Without channels the degrees are those of the preset, which fall with the number of elements;
with channels they are the same for every number of elements, and so are the functions of order 2 and higher around an
atom. One element, which has no two channels, gets degrees that give about as many functions. Slots are what neighbors
take in the loops: eight atoms in the lanes of a vector share those of an element. One thread, interleaved, medians of
CPU time; compilation is not timed.

    python -m benchmarks.speed.elements [--tiny] [--repeats N]
"""

import argparse
import platform
import time

import numpy as np
from ase.build import bulk

from linmlp import ACE
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import VerletList

NUMBERS = (22, 40, 41, 42, 72, 73, 74, 78)
CUTOFF, SKIN = 5.0, 0.5
CASES = {
    "one per element": {},
    "1 channel": {"channels": 1, "max_degree": (16, 14, 11)},
    "2 channels": {"channels": 2, "max_degree": (16, 10, 8)},
}


def make_crystal(n_elements, repeat):
    """Return a disordered alloy."""
    rng = np.random.default_rng(0)
    atoms = bulk("W", "bcc", a=3.2, cubic=True) * (repeat, repeat, repeat)
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    atoms.numbers = rng.permutation(np.resize(NUMBERS[:n_elements], len(atoms)))
    return atoms


class Case:
    """An evaluator with random coefficients, and the pairs it is timed on."""

    def __init__(self, n_elements, repeat, settings):
        atoms = make_crystal(n_elements, repeat)
        self.descriptor = ACE(CUTOFF, **settings).fit([atoms])
        coefficients = np.random.default_rng(1).normal(size=self.descriptor.n_features_out_)
        self.evaluator, self.pairs = self.descriptor.evaluator(coefficients), VerletList(CUTOFF, SKIN).pairs(atoms)
        self.n_functions, self.n_atoms = self.descriptor.n_features_out_ // n_elements, len(atoms)
        self.evaluator.compute(self.pairs)  # compiles, and sorts atoms into blocks
        self.seconds = []

    def run(self):
        """Measure one step."""
        start = time.thread_time()
        self.evaluator.compute(self.pairs)
        self.seconds.append((time.thread_time() - start) / self.n_atoms)

    @property
    def slots(self):
        """Slots of neighbors and padding per atom."""
        return self.evaluator._blocks(self.pairs).slots.sum() * LANES / self.n_atoms


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=40, help="steps of every case")
    parser.add_argument("--tiny", action="store_true", help="few atoms and functions, to see it run")
    options = parser.parse_args(arguments)
    repeat, repeats, counts, cases = 8, options.repeats, (1, 2, 4, 8), CASES
    if options.tiny:
        repeat, repeats, counts = 2, 2, (1, 2)
        cases = {name: {**settings, "max_degree": (4, 3, 2)} for name, settings in CASES.items()}
    alone = {"channels": 1, "max_degree": (4, 3, 2) if options.tiny else (16, 16, 13)}
    measured = {
        (name, n): Case(n, repeat, settings if settings.get("channels", 1) <= n else alone)
        for name, settings in cases.items()
        for n in counts
    }
    for _ in range(repeats):
        for case in measured.values():
            case.run()
    print(f"{platform.processor() or platform.machine()}, {LANES} lanes, one thread")
    for (name, n), case in measured.items():
        mean, first = np.median(case.seconds), np.median(measured[name, counts[0]].seconds)
        near = np.count_nonzero(case.pairs.distances < CUTOFF) / case.n_atoms
        print(
            f"{name:16} {n} element(s) {case.descriptor.max_degree_!s:13} {case.n_functions:5} functions around an atom"
            f"   {near:.1f} neighbors, {case.slots:5.1f} slots   {1e6 * mean:5.2f} µs/atom   {mean / first:4.2f} times"
        )


if __name__ == "__main__":
    main()
