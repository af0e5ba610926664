"""Physics that any potential must obey: each check takes a predictor and a structure and says what to replay.

`predict(structure)` returns an object with `energy`, `energies`, `forces`, `stress` (`linmlp.potentials.Predictor`).
"""

import numpy as np
from ase import Atoms
from scipy.spatial.transform import Rotation

from linmlp.units import VOIGT

STENCIL = ((-3, -1 / 60), (-2, 3 / 20), (-1, -3 / 4), (1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
"""Sixth-order central difference: (steps, weight). In fourth order the steps that keep roundoff below 1e-8 leave errors
of 3e-8 where atoms are close."""


def central_difference(energy_of, step):
    """Derivative at 0 of energy_of(x) in sixth order."""
    return sum(weight * energy_of(k * step) for k, weight in STENCIL) / step


def replay(structure, **what):
    return f"{structure!r}\npositions={structure.positions.tolist()}\ncell={structure.cell.tolist()}\n{what}"


def check_forces(predict, structure, rng, n_components=6, step=2e-3, tolerance=1e-8):
    """Forces are minus the derivative of the energy, to `tolerance` of the largest force."""
    forces = predict(structure).forces
    scale = max(np.abs(forces).max(), 1e-3)
    for _ in range(n_components):
        atom, axis = rng.integers(len(structure)), rng.integers(3)

        def energy_of(x, atom=atom, axis=axis):
            moved = structure.copy()
            moved.positions[atom, axis] += x
            return predict(moved).energy

        numerical = -central_difference(energy_of, step)
        assert abs(numerical - forces[atom, axis]) < tolerance * scale, replay(
            structure, atom=atom, axis=axis, numerical=numerical, analytic=forces[atom, axis], scale=scale
        )


def check_stress(predict, structure, step=5e-4, tolerance=1e-8):
    """Stress is the derivative of the energy with respect to strain over the volume, to `tolerance` of dE/dstrain."""
    analytic = predict(structure).stress * structure.get_volume()
    scale = max(np.abs(analytic).max(), 1e-2 * len(structure))
    for component, (a, b) in enumerate(VOIGT):

        def energy_of(x, a=a, b=b):
            strain = np.eye(3)
            strain[a, b] += x / 2
            strain[b, a] += x / 2
            strained = structure.copy()
            strained.set_cell(structure.cell.array @ strain, scale_atoms=False)
            strained.positions = structure.positions @ strain
            return predict(strained).energy

        numerical = central_difference(energy_of, step)
        assert abs(numerical - analytic[component]) < tolerance * scale, replay(
            structure, component=component, numerical=numerical, analytic=analytic[component], scale=scale
        )


def check_rotation(predict, structure, rng, tolerance=1e-9):
    """Energy and forces turn with the structure, mirror images included."""
    before = predict(structure)
    matrix = Rotation.random(rng=rng).as_matrix() * rng.choice([-1, 1])
    turned = structure.copy()
    turned.set_cell(structure.cell.array @ matrix.T, scale_atoms=False)
    turned.positions = structure.positions @ matrix.T
    after = predict(turned)
    where = replay(structure, matrix=matrix.tolist())
    assert abs(after.energy - before.energy) < tolerance * max(1, abs(before.energy)), where
    np.testing.assert_allclose(after.forces, before.forces @ matrix.T, atol=1e-8 * scale_of(before), err_msg=where)


def check_permutation(predict, structure, rng, tolerance=1e-9):
    """The order of the atoms does not matter."""
    order = rng.permutation(len(structure))
    before, after = predict(structure), predict(structure[order])
    assert abs(after.energy - before.energy) < tolerance * max(1, abs(before.energy)), replay(structure, order=order)
    np.testing.assert_allclose(after.forces, before.forces[order], atol=1e-8 * scale_of(before))


def check_translation(predict, structure, rng):
    """Moving everything changes nothing; the forces sum to zero."""
    moved = structure.copy()
    moved.positions += rng.normal(0, 3, 3)
    before, after = predict(structure), predict(moved)
    assert abs(after.energy - before.energy) < 1e-9 * max(1, abs(before.energy)), replay(structure)
    np.testing.assert_allclose(before.forces.sum(0), 0, atol=1e-9 * scale_of(before) * len(structure))


def check_wrapping(predict, structure, rng):
    """Atoms inside or outside of the cell are the same atoms."""
    moved = structure.copy()
    shifts = rng.integers(-2, 3, size=(len(structure), 3)) * structure.pbc
    moved.positions += shifts @ structure.cell.array
    before, after = predict(structure), predict(moved)
    assert abs(after.energy - before.energy) < 1e-9 * max(1, abs(before.energy)), replay(
        structure, shifts=shifts.tolist()
    )
    np.testing.assert_allclose(after.forces, before.forces, atol=1e-8 * scale_of(before))


def check_supercell(predict, structure, repeats=(2, 1, 2)):
    """A supercell has the energy per atom, forces and stress of its unit cell."""
    repeats = tuple(n if periodic else 1 for n, periodic in zip(repeats, structure.pbc, strict=True))
    large = structure.repeat(repeats)
    one, many = predict(structure), predict(large)
    n = len(large) // len(structure)
    assert abs(many.energy - n * one.energy) < 1e-9 * max(1, abs(many.energy)), replay(structure, repeats=repeats)
    np.testing.assert_allclose(many.forces, np.tile(one.forces, (n, 1)), atol=1e-8 * scale_of(one))
    if structure.cell.rank == 3:
        np.testing.assert_allclose(many.stress, one.stress, atol=1e-9)


def check_fragments_add(predict, molecule, distance):
    """Far fragments do not feel each other."""
    other = molecule.copy()
    other.positions += [distance + np.ptp(molecule.positions[:, 0]), 0, 0]
    both = Atoms(
        np.concatenate([molecule.numbers, other.numbers]), np.concatenate([molecule.positions, other.positions])
    )
    alone = predict(Atoms(molecule.numbers, molecule.positions)).energy
    assert abs(predict(both).energy - 2 * alone) < 1e-9 * max(1, abs(alone)), replay(molecule, distance=distance)


def check_isolated_atom(predict, symbol, reference):
    """A lone atom has its reference energy, to the last digits, and no force."""
    prediction = predict(Atoms(symbol))
    assert abs(prediction.energy - reference) <= 1e-12 * max(1, abs(reference))
    np.testing.assert_array_equal(prediction.forces, np.zeros((1, 3)))


def check_smooth_through_cutoff(predict, numbers, cutoff, step=1e-3):
    """Walking an atom through the cutoff, energy and force have no jump: changes shrink with the step."""

    def changes(step):
        distances = cutoff + step * (np.arange(41) - 20)
        results = [predict(Atoms(numbers, [[0, 0, 0], [r, 0, 0], [0, 1.9, 0]][: len(numbers)])) for r in distances]
        return (
            np.abs(np.diff([r.energy for r in results])).max(),
            np.abs(np.diff([r.forces for r in results], axis=0)).max(),
        )

    coarse, fine = changes(step), changes(step / 4)
    for before, after in zip(coarse, fine, strict=True):
        assert after < before / 3 + 1e-13, (cutoff, coarse, fine)


def scale_of(prediction):
    return max(1.0, np.abs(prediction.forces).max())
