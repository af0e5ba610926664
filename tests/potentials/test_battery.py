"""The physics battery on fitted potentials of one to three elements, over all kinds of structures."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100, molecule

from linmlp.neighbors import find_pairs
from linmlp.potentials import Predictor
from tests import battery

GAP = 0.012
"""No pair may be this close to a radius where a derivative of the energy jumps: differences step that far, Å."""


def rattled(atoms, seed, amplitude=0.1):
    """The structure with moved atoms, again and again until no shell lies within the difference step of a kink."""
    rng = np.random.default_rng(seed)
    while True:
        moved = atoms.copy()
        moved.positions += amplitude * rng.normal(size=(len(atoms), 3))
        if kinks_are_far(moved):
            return moved


def kinks_are_far(atoms, radii=(4.0,)):
    distances = find_pairs(atoms, 4.5).distances
    return all(np.abs(distances - radius).min(initial=1.0) > GAP for radius in radii)


def colored(atoms, symbols, seed=0):
    """The structure with atoms of these elements, of each one at least."""
    atoms = atoms.copy()
    names = np.resize(symbols, len(atoms))
    atoms.symbols = np.random.default_rng(seed).permutation(names)
    return atoms


def structures(symbols):
    """Named structures of some elements."""
    slab = fcc100("Al", (2, 1, 3), a=4.3, vacuum=5.0)
    wire = Atoms("Al3", [[0, 0, 0], [0, 1.5, 2.0], [1.6, 0, 3.9]], cell=[20, 0, 6.1], pbc=(False, False, True))
    plane = Atoms("Al2", [[0, 0, 0], [1.7, 1.5, 0.4]], cell=[[3.6, 0, 0], [0, 0, 0], [0.3, 0, 3.3]], pbc=(1, 0, 1))
    skewed = Atoms("Al2", [[0, 0, 0], [1.4, 1.2, 1.3]], cell=[[2.9, 0, 0], [1.9, 2.7, 0], [-1.3, 1.1, 2.8]], pbc=True)
    one = Atoms("Al", cell=[[0, 2.1, 2.1], [2.2, 0, 2.0], [2.1, 2.2, 0]], pbc=True)
    cases = {
        "crystal": rattled(bulk("Al", "diamond", a=5.2, cubic=True), 1),
        "slab": rattled(slab, 2),
        "molecule": rattled(Atoms(molecule("C2H6").symbols, 1.4 * molecule("C2H6").positions), 3),
        "tiny cell": one,
        "skewed tiny cell": rattled(skewed, 4, 0.05),
        "wire": rattled(wire, 5, 0.05),
        "two periodic axes, no third vector": rattled(plane, 6, 0.05),
        "dimer inside the core": Atoms("Al2", [[0, 0, 0], [0.9, 0.7, 0.2]]),
        "crystal with an intruder": intruder(7),
    }
    return {name: colored(atoms, symbols) for name, atoms in cases.items()}


def intruder(seed):
    """A crystal with two atoms much closer than any in the data."""
    atoms = bulk("Al", "diamond", a=5.2, cubic=True)
    atoms.append("Al")
    atoms.positions[-1] = atoms.positions[0] + [0.7, -0.8, 0.5]
    return rattled(atoms, seed, 0.03)


NAMES = list(structures(["Si"]))
STRESSED = [name for name, atoms in structures(["Si"]).items() if atoms.cell.rank == 3]


@pytest.fixture(params=["silicon", "carbide", "mixed_carbide", "mixed_alloy"])
def case(request):
    """A predictor and the structures of its elements."""
    model = request.getfixturevalue(f"{request.param}_model")
    return model.predictor(), structures(list(model.descriptor_.elements_)), model


@pytest.mark.parametrize("name", NAMES)
def test_forces(case, name):
    predict, cases, _ = case
    battery.check_forces(predict, cases[name], np.random.default_rng(1))


@pytest.mark.parametrize("name", STRESSED)
def test_stress(case, name):
    predict, cases, _ = case
    battery.check_stress(predict, cases[name])


@pytest.mark.parametrize("name", NAMES)
def test_symmetries(case, name):
    predict, cases, _ = case
    for seed in range(3):
        battery.check_rotation(predict, cases[name], np.random.default_rng(seed))
    battery.check_permutation(predict, cases[name], np.random.default_rng(1))
    battery.check_translation(predict, cases[name], np.random.default_rng(2))
    battery.check_wrapping(predict, cases[name], np.random.default_rng(3))


@pytest.mark.parametrize("name", [n for n in NAMES if "molecule" not in n and "dimer" not in n])
def test_supercell(case, name):
    predict, cases, _ = case
    if cases[name].cell.rank == 3:
        battery.check_supercell(predict, cases[name])
    else:  # ASE repeats only along vectors that are there
        battery.check_supercell(predict, cases[name], (3, 1, 2))


def test_fragments_add(case):
    predict, cases, _ = case
    for distance in (4.001, 9.0):
        battery.check_fragments_add(predict, cases["molecule"], distance)


def test_isolated_atoms(case):
    predict, _, model = case
    for symbol, energy in model.e0_.items():
        battery.check_isolated_atom(predict, symbol, energy)


def test_nothing_jumps_at_the_cutoff_or_where_the_core_begins(case):
    predict, _, model = case
    numbers = np.resize([a.number for a in Atoms("".join(model.descriptor_.elements_))], 3)
    (zbl,) = model.baselines_
    inner = model.descriptor_.parameters_.inner
    for radius in (4.0, *np.unique(zbl.outer), *np.unique(zbl.inner), *np.unique(inner)):
        battery.check_smooth_through_cutoff(predict, numbers[:2], radius)
        battery.check_smooth_through_cutoff(predict, numbers, radius)


def test_the_core_is_active_in_some_structures(case):
    _, cases, model = case
    (zbl,) = model.baselines_
    for name, is_active in (("dimer inside the core", True), ("crystal with an intruder", True), ("crystal", False)):
        energies = zbl.compute(find_pairs(cases[name], 4.0)).energies
        assert (energies.sum() > 0.1) == is_active, name


def test_checks_find_mistakes(case):
    """Each check of the battery fails on a potential that is wrong in its way."""
    predict, cases, _ = case
    crystal, rng = cases["crystal"], np.random.default_rng(0)

    class Wrong:
        def __init__(self, **changes):
            self.changes = changes

        def __call__(self, atoms):
            right = predict(atoms)
            changes = {name: change(right, atoms) for name, change in self.changes.items()}
            return type(
                "Result", (), {n: changes.get(n, getattr(right, n)) for n in ("energy", "energies", "forces", "stress")}
            )

    small = 1 + 1e-7
    with pytest.raises(AssertionError):
        battery.check_forces(Wrong(forces=lambda p, a: small * p.forces), crystal, rng, n_components=24)
    with pytest.raises(AssertionError):
        battery.check_stress(Wrong(stress=lambda p, a: small * p.stress), crystal)
    with pytest.raises(AssertionError):
        battery.check_rotation(Wrong(energy=lambda p, a: p.energy + 1e-6 * a.positions[0, 0]), crystal, rng)
    with pytest.raises(AssertionError):
        battery.check_permutation(Wrong(energy=lambda p, a: p.energy + 1e-6 * a.positions[0, 0]), crystal, rng)
    with pytest.raises(AssertionError):
        battery.check_translation(Wrong(energy=lambda p, a: p.energy + 1e-6 * a.positions[0, 0]), crystal, rng)
    with pytest.raises(AssertionError):
        battery.check_wrapping(Wrong(energy=lambda p, a: p.energy + 1e-6 * a.positions.sum()), crystal, rng)
    with pytest.raises(AssertionError):
        battery.check_supercell(Wrong(energy=lambda p, a: p.energy + 1e-6), crystal)
    with pytest.raises(AssertionError):
        battery.check_fragments_add(Wrong(energy=lambda p, a: p.energy + 1e-6), cases["molecule"], 9.0)
    jump = Wrong(energy=lambda p, a: p.energy + 1e-5 * (a.get_distance(0, 1) > 4.0))
    with pytest.raises(AssertionError):
        battery.check_smooth_through_cutoff(jump, cases["crystal"].numbers[:2], 4.0)


def test_predictor_needs_no_fit(silicon_truth):
    """The predictor of known coefficients gives the energies of rows times coefficients."""
    from linmlp.structures import ReferenceEnergies

    reference = ReferenceEnergies("given", ("Si",), np.array([silicon_truth.e0["Si"]]))
    predict = Predictor(silicon_truth.descriptor, silicon_truth.coef, reference)
    for atoms in silicon_truth.structures:
        energy, forces, stress = silicon_truth.compute(atoms)
        prediction = predict(atoms, n_threads=2)
        assert prediction.energy == pytest.approx(energy, abs=1e-10)
        np.testing.assert_allclose(prediction.forces, forces, atol=1e-10)
        np.testing.assert_allclose(prediction.stress, stress, atol=1e-11)
        assert prediction.energies.sum() == prediction.energy
