"""Linear ACE potentials of one and two elements, and structures of every kind to evaluate them on."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.data import chemical_symbols

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride, load_silicon
from linmlp.potentials import Predictor
from linmlp.structures import ReferenceEnergies

CUTOFF = 4.5


@dataclass(frozen=True)
class Case:
    """A potential without baselines: what writes it, and what predicts with it."""

    descriptor: ACE
    coefficients: np.ndarray
    e0: np.ndarray
    predict: Predictor

    @property
    def parameters(self):
        return self.descriptor.parameters_

    @property
    def symbols(self):
        return [chemical_symbols[z] for z in self.parameters.numbers]

    @classmethod
    def of(cls, descriptor, coefficients, e0):
        e0 = np.asarray(e0)
        predictor = Predictor(descriptor, coefficients, ReferenceEnergies("given", descriptor.elements_, e0))
        return cls(descriptor, coefficients, e0, predictor)


def random_case(symbols, max_degree, max_l, order=3, channels=None):
    """Coefficients that shrink with the degree."""
    descriptor = ACE(CUTOFF, order, max_degree, max_l, channels).fit([rattled(symbols, seed) for seed in range(4)])
    rng = np.random.default_rng(7)
    coefficients = 0.1 * rng.normal(size=descriptor.n_features_out_) / (1 + descriptor.feature_degrees()[:, 1])
    return Case.of(descriptor, coefficients, [-3.25, -7.5, -1.5][: len(symbols)])


def general_case():
    """Radial functions that differ with l, and from i around j to j around i; one pair without inner switch."""
    case = random_case(("Cl", "Li"), (4, 5, 4), 3)
    settings, arrays = case.descriptor.to_state()
    rng = np.random.default_rng(5)
    maps = {key: arrays[key] * rng.uniform(0.5, 1.5, arrays[key].shape) for key in ("radial_map", "pair_map")}
    inner = arrays["inner"] * np.array([[1.0, 0.9], [1.1, 1.0]])
    width = arrays["inner_width"] * np.array([[1.0, 0.8], [1.0, 0.0]])
    descriptor = ACE.from_state(settings, {**maps, "inner": inner, "inner_width": width})
    return Case.of(descriptor, case.coefficients, case.e0)


@cache
def fitted_model(load):
    """A small potential fitted to bundled data, and the structures that it was fitted to."""
    structures = load()[0][:20]
    weights = {"energy_weight": 10.0, "force_weight": 1.0, "stress_weight": 10.0, "energy_per": "structure"}
    return LinearPotential(ACE(CUTOFF, max_degree=(8, 6, 5), max_l=3), alpha=1e-6, **weights).fit(
        structures
    ), structures


def fitted_case(load):
    """Its repulsive core, which stands outside the file, is left out."""
    model, _ = fitted_model(load)
    return Case.of(model.descriptor_, model.coef_, [model.e0_[symbol] for symbol in model.descriptor_.elements_])


MAKERS = {
    "one element": lambda: random_case(("Si",), (7, 7, 6), 4),
    "two elements": lambda: random_case(("Cl", "Li"), (5, 5, 4), 3),
    "general radial functions": general_case,
    "order 4": lambda: random_case(("Si",), (5, 5, 5, 6), 3, order=4),
    "order 4, two elements": lambda: random_case(("Cl", "Li"), (3, 3, 3, 3), 2, order=4),
    "one channel, two elements": lambda: random_case(("Cl", "Li"), (5, 5, 4), 3, channels=[[1.0, -0.4]]),
    "two channels, three elements": lambda: random_case(("Cl", "Li", "Na"), (3, 3, 3), 2, channels=2),
    "order 4, one channel": lambda: random_case(("Cl", "Li"), (3, 3, 3, 3), 2, order=4, channels=[[0.7, 1.2]]),
    "pair term alone": lambda: random_case(("Cl", "Li"), (6,), 0, order=1),
    "high l": lambda: random_case(("Si",), (0, 12, 8), 6),
    "fitted, silicon": lambda: fitted_case(load_silicon),
    "fitted, lithium chloride": lambda: fitted_case(load_lithium_chloride),
}


@pytest.fixture(scope="session", params=MAKERS)
def case(request):
    return MAKERS[request.param]()


@pytest.fixture(scope="session", params=["one element", "two elements"])
def random_potential(request):
    return MAKERS[request.param]()


def rattled(symbols, seed=0, repeat=1, amplitude=0.15):
    """A disordered crystal with all pairs of elements as neighbors."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Si", cubic=True, a=5.2) * repeat
    atoms.set_chemical_symbols(rng.permutation(np.resize(symbols, len(atoms))))
    atoms.positions += rng.normal(0, amplitude, atoms.positions.shape)
    return atoms


def structures_of(symbols):
    """One structure of every kind, by name."""
    rng = np.random.default_rng(3)
    first, last = symbols[0], symbols[-1]
    lattice = {"crystalstructure": "zincblende" if len(symbols) > 1 else "diamond", "a": 5.1}
    primitive = bulk(first + last if len(symbols) > 1 else first, **lattice)
    sheared = primitive.copy()
    sheared.set_cell(primitive.cell.array @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
    slab = fcc111(first, (2, 2, 3), a=4.2, vacuum=5.0)
    slab.set_chemical_symbols(np.resize(symbols, len(slab)))
    slab.positions += rng.normal(0, 0.1, slab.positions.shape)
    slab_in_box = slab.copy()
    slab_in_box.pbc = True
    cluster = molecule("C60")[:12]
    cluster.positions *= 1.5
    cluster.set_chemical_symbols(np.resize(symbols, len(cluster)))
    return {
        "crystal, cell smaller than the cutoff": primitive,
        "sheared crystal": sheared,
        "one atom in a periodic cell": bulk(last, "fcc", a=3.6),
        "rattled supercell": rattled(symbols, seed=11, repeat=(2, 2, 1)),
        "slab, periodic in two directions": slab,
        "slab in a periodic box": slab_in_box,
        "cluster": cluster,
        "chain, inside the inner switch": Atoms([first, last] * 2, [[0, 0, 1.3 * k] for k in range(4)]),
    }
