"""Trajectories in: images, center of mass, files, and what cannot be used."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from linmlp.evaluation.transport import read_motion
from linmlp.exceptions import InputError, SettingsError, StructureError
from tests.naive.transport import walkers

CELL = np.array([[9.0, 0.0, 0.0], [3.0, 8.0, 0.0], [-2.0, 1.0, 10.0]])


@pytest.fixture
def walk():
    """Continuous positions of six atoms that cross boundaries of an oblique cell, Å."""
    rng = np.random.default_rng(3)
    return rng.random((6, 3)) @ CELL + np.cumsum(rng.normal(size=(400, 6, 3)) * 0.5, axis=0)


def frames_at(positions, wrapped, cell=CELL):
    frames = [Atoms("Li3Cl3", p, cell=cell, pbc=True) for p in positions]
    if wrapped:
        for frame in frames:
            frame.wrap()
    return frames


def test_wrapped_and_continuous_positions_are_the_same_motion(walk):
    wrapped, free = (read_motion(frames_at(walk, wrapped), 0.1) for wrapped in (True, False))
    masses = Atoms("Li3Cl3").get_masses()
    center = np.einsum("i,tix->tx", masses, walk) / masses.sum()
    for motion in (wrapped, free):
        moved = motion.positions - motion.positions[0]
        wanted = walk - center[:, None]
        np.testing.assert_allclose(moved, wanted - wanted[0], atol=1e-9)
        np.testing.assert_allclose(np.einsum("i,tix->tx", masses, motion.positions), 0.0, atol=1e-9)
    assert np.ptp(walk, axis=0).max() > 10.0
    assert wrapped.time == pytest.approx(39.9)
    assert wrapped.volume == pytest.approx(720.0)


@pytest.mark.parametrize("name", ["run.xyz", "run.traj", "XDATCAR"])
def test_files(walk, tmp_path, name):
    frames = frames_at(walk, True)
    write(tmp_path / name, frames)
    found = read_motion(tmp_path / name, 0.1, skip=100)
    wanted = read_motion(frames[100:], 0.1)
    order = np.argsort(wanted.symbols, kind="stable")
    assert sorted(found.symbols) == sorted(wanted.symbols)
    np.testing.assert_allclose(
        np.ptp(found.positions, axis=0)[np.argsort(found.symbols, kind="stable")],
        np.ptp(wanted.positions, axis=0)[order],
        atol=1e-5,
    )
    assert found.temperature is None


def test_temperature_from_momenta(walk):
    frames = frames_at(walk, False)
    rng = np.random.default_rng(0)
    for frame in frames:
        frame.set_momenta(rng.normal(size=(6, 3)))
    kinetic = np.mean([frame.get_kinetic_energy() for frame in frames])
    found = read_motion(frames, 0.1).temperature
    assert found.value == pytest.approx(2.0 * kinetic / (15 * 8.617333e-5), rel=1e-5)
    assert found.error > 0.0


def test_a_jump_whose_image_cannot_be_told(walk):
    sparse = walk[::40]
    sparse = np.concatenate([sparse, sparse[-1] + np.cumsum(np.full((50, 6, 3), 0.01), axis=0)])
    with pytest.raises(StructureError, match=r"atom \d moves by 0\.\d\d of a cell vector between frames \d+ and \d+"):
        read_motion(frames_at(sparse, True), 0.1)
    motion = read_motion(frames_at(sparse, False), 0.1, unwrapped=True)
    assert len(motion.positions) == 60


def test_what_cannot_be_used(walk, tmp_path):
    frames = frames_at(walk, True)
    with pytest.raises(StructureError, match="the trajectory has 20 frames; give at least 50"):
        read_motion(frames[:20], 0.1)
    with pytest.raises(StructureError, match="single structure"):
        read_motion(frames[0], 0.1)
    with pytest.raises(StructureError, match="frame 0 is a int"):
        read_motion([3, 4], 0.1)
    with pytest.raises(SettingsError, match="skip=-1"):
        read_motion(frames, 0.1, skip=-1)
    other = [*frames[:60], frames[60][[1, 0, 2, 3, 5, 4]], Atoms("Cl3Li3", frames[0].positions, cell=CELL, pbc=True)]
    with pytest.raises(StructureError, match=r"frame 61 holds .* the same atoms in the same order"):
        read_motion(other, 0.1)
    grown = [frame.copy() for frame in frames]
    grown[7].set_cell(1.01 * CELL)
    with pytest.raises(StructureError, match=r"the cell of frame 7 differs .* by 0\.97\d % .* barostat"):
        read_motion(grown, 0.1)
    slab = [frame.copy() for frame in frames]
    slab[0].pbc = (True, True, False)
    with pytest.raises(StructureError, match="periodic in all three"):
        read_motion(slab, 0.1)
    broken = [frame.copy() for frame in frames]
    broken[3].positions[2, 1] = np.nan
    with pytest.raises(StructureError, match="frame 3 has positions that are not finite"):
        read_motion(broken, 0.1)
    with pytest.raises(InputError, match="there is no file"):
        read_motion(tmp_path / "absent.traj", 0.1)
    (tmp_path / "text.xyz").write_text("no structure\n")
    with pytest.raises(InputError, match="cannot be read"):
        read_motion(tmp_path / "text.xyz", 0.1)


def test_walkers_leave_the_cell():
    motion = read_motion(walkers("Li4", 300, {"Li": 0.4}, seed=0), 0.1)
    assert np.ptp(motion.positions, axis=0).max() > 12.0
