"""Groups by key, rule and content; planted leaks."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.structures import check_leaks, plan_folds, structure_groups


def trajectory(seed, n=12, step=0.02, amplitude=0.15):
    """Frames of a silicon cell that move on smoothly."""
    rng = np.random.default_rng(seed)
    start = bulk("Si", cubic=True)
    one, two = amplitude * rng.normal(size=(2, len(start), 3))
    frames = []
    for k in range(n):
        atoms = start.copy()
        atoms.positions += np.cos(5 * step * k) * one + np.sin(5 * step * k) * two
        frames.append(atoms)
    return frames


def independent(seed, n=12):
    """Rattled cells that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    frames = [bulk("Si", cubic=True) for _ in range(n)]
    for atoms in frames:
        atoms.positions += 0.15 * rng.normal(size=(len(atoms), 3))
    return frames


def test_trajectories_are_found_by_content():
    structures = [*independent(1), *trajectory(2), *trajectory(3), *independent(4)]
    groups = structure_groups(structures)
    wanted = [*range(12), *[12] * 12, *[13] * 12, *range(14, 26)]
    np.testing.assert_array_equal(groups, wanted)


def test_wrapping_translation_and_periodic_images_do_not_matter():
    structures = [*independent(1, 4), *trajectory(2, 4)]
    moved = [atoms.copy() for atoms in structures]
    rng = np.random.default_rng(0)
    for atoms in moved:
        atoms.positions += rng.normal(size=3)
        atoms.wrap()
    np.testing.assert_array_equal(structure_groups(structures), structure_groups(moved))


def test_duplicates_are_found_anywhere():
    structures = [*independent(5, 6), bulk("Al"), *independent(5, 2)]
    np.testing.assert_array_equal(structure_groups(structures), [0, 1, 2, 3, 4, 5, 6, 0, 1])


def test_keys_functions_and_lists():
    structures = [Atoms("Si", info={"config_type": c, "trajectory": t}) for c, t in ("xa", "xb", "ya", "yb")]
    np.testing.assert_array_equal(structure_groups(structures), [0, 1, 0, 1])
    np.testing.assert_array_equal(structure_groups(structures, "config_type"), [0, 0, 1, 1])
    np.testing.assert_array_equal(
        structure_groups(structures, lambda atoms: atoms.info["trajectory"] == "a"), [0, 1] * 2
    )
    np.testing.assert_array_equal(structure_groups(structures, [3, 3, 1, 3]), [0, 0, 1, 0])
    with pytest.raises(SettingsError, match=r"has no info\['run'\]"):
        structure_groups(structures, "run")
    with pytest.raises(SettingsError, match="2 values for 4 structures"):
        structure_groups(structures, [1, 2])


def test_a_trajectory_cut_in_two_groups_is_caught():
    structures = [*independent(1), *trajectory(2), *independent(3)]
    claimed = ["a"] * 12 + ["b"] * 6 + ["c"] * 6 + ["d"] * 12
    with pytest.warns(LinmlpWarning, match="kept apart as if they were independent"):
        leaks = check_leaks(structures, claimed)
    assert [(leak.i, leak.j, leak.sides) for leak in leaks] == [(17, 18, ("b", "c"))]
    # the same in splits that follow these groups
    splits = plan_folds("leave_one_group_out", [""] * 36, claimed).splits
    found = check_leaks(structures, splits=splits, warn=False)
    assert {(leak.i, leak.j) for leak in found} == {(17, 18)}


def test_sound_groups_are_silent():
    structures = [*independent(1), *trajectory(2), *independent(3)]
    assert check_leaks(structures, structure_groups(structures)) == []
    splits = plan_folds(4, [""] * 36, structure_groups(structures)).splits
    assert check_leaks(structures, splits=splits) == []
    with pytest.raises(SettingsError, match="either groups or splits"):
        check_leaks(structures)
