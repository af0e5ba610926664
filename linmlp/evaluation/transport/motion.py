"""Trajectories in, continuous positions about the center of mass out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import iread

from linmlp.evaluation.md.failures import temperature_of
from linmlp.evaluation.md.statistics import Estimate, mean_with_error
from linmlp.exceptions import InputError, SettingsError, StructureError
from linmlp.units import FloatArray

LONGEST_STEP = 0.4
"""An atom that moves by more than this part of a cell vector between frames leaves its periodic image in doubt."""

SAME_CELL = 1e-6
"""Relative change of a cell that counts as none."""

LEAST_FRAMES = 50
"""Fewer frames have no diffusive regime to look for."""


@dataclass(frozen=True)
class Motion:
    """Where the atoms of one run went.

    Parameters
    ----------
    symbols : ndarray of str, shape (n_atoms,)
        Elements.
    positions : ndarray of shape (n_frames, n_atoms, 3)
        Continuous through the boundaries of the cell, relative to the center of mass of all atoms, Å.
    cell : ndarray of shape (3, 3)
        Å; the same in all frames.
    interval : float
        Time from one frame to the next, ps.
    temperature : Estimate or None
        K, from momenta; None without them.
    """

    symbols: np.ndarray
    positions: FloatArray
    cell: FloatArray
    interval: float
    temperature: Estimate | None

    @property
    def time(self) -> float:
        """Length of the run, ps."""
        return self.interval * (len(self.positions) - 1)

    @property
    def volume(self) -> float:
        """Volume of the cell, Å³."""
        return float(abs(np.linalg.det(self.cell)))


class FrameCollector:
    """Takes frames one by one and keeps what displacements need of them."""

    def __init__(self) -> None:
        self.first: Atoms | None = None
        self.positions: list[FloatArray] = []
        self.temperatures: list[float] = []

    def take(self, atoms: Atoms) -> None:
        """Add a frame.

        Parameters
        ----------
        atoms : ase.Atoms
            The same atoms in the same order, and the same cell, as in the first frame.

        Raises
        ------
        StructureError
            If they are not, or the cell is not periodic in all three directions.
        """
        where = f"frame {len(self.positions)}"
        if self.first is None:
            if not atoms.pbc.all() or atoms.cell.rank < 3:
                raise StructureError(
                    f"pbc is {atoms.pbc.tolist()}: diffusion here is that of a bulk, periodic in all three directions"
                )
            self.first = atoms.copy()
        if not np.array_equal(atoms.numbers, self.first.numbers):
            raise StructureError(
                f"{where} holds {atoms.get_chemical_formula()}, the first frame {self.first.get_chemical_formula()}, "
                "or their atoms are in another order: all frames must list the same atoms in the same order"
            )
        change = float(np.abs(atoms.cell.array - self.first.cell.array).max() / self.first.cell.lengths().max())
        if change > SAME_CELL:
            raise StructureError(
                f"the cell of {where} differs from the first one by {100 * change:.3g} % of its length: displacements "
                "are not defined under a barostat; run at the mean volume, in NVE or with a thermostat"
            )
        if not np.isfinite(atoms.positions).all():
            raise StructureError(f"{where} has positions that are not finite numbers")
        self.positions.append(atoms.get_positions())
        if atoms.has("momenta"):
            self.temperatures.append(temperature_of(atoms))

    def motion(self, interval: float, unwrapped: bool | None = None) -> Motion:
        """Return what was collected.

        Parameters
        ----------
        interval : float
            Time from one frame to the next, ps.
        unwrapped : bool, optional
            Whether positions are continuous as they are; by default this is looked for.

        Returns
        -------
        Motion
            Continuous, and the center of mass of all atoms at rest.

        Raises
        ------
        StructureError
            If there are too few frames, or periodic images cannot be told.
        """
        if self.first is None or len(self.positions) < LEAST_FRAMES:
            raise StructureError(
                f"the trajectory has {len(self.positions)} frames; give at least {LEAST_FRAMES}, better thousands"
            )
        cell = self.first.cell.array
        positions = _continuous(np.array(self.positions), cell, unwrapped)
        masses = self.first.get_masses()
        positions -= (np.einsum("i,tix->tx", masses, positions) / masses.sum())[:, None]
        temperature = mean_with_error(np.array(self.temperatures)) if self._has_temperatures() else None
        return Motion(np.array(self.first.get_chemical_symbols()), positions, cell, interval, temperature)

    def _has_temperatures(self) -> bool:
        """Return whether every frame has momenta that are not zero."""
        return len(self.temperatures) == len(self.positions) and max(self.temperatures) > 0.0


def read_motion(
    trajectory: str | Path | Iterable[Atoms], interval: float, unwrapped: bool | None = None, skip: int = 0
) -> Motion:
    """Return the motion of a trajectory.

    Parameters
    ----------
    trajectory : path-like or iterable of ase.Atoms
        Frames at equal times, or any file of such that ASE reads. Positions may be wrapped into the cell.
    interval : float
        Time from one frame to the next, ps.
    unwrapped : bool, optional
        Whether positions are continuous as they are. By default they count as such unless an atom jumps by more
        than `LONGEST_STEP` of a cell vector.
    skip : int, default=0
        Frames to leave out at the beginning.

    Returns
    -------
    Motion
        Positions about the center of mass.

    Raises
    ------
    InputError
        If the file cannot be read.
    StructureError
        If the frames are too few, not of the same atoms, not periodic, of changing cells, or too far apart in time.
    SettingsError
        If `skip` is negative.
    """
    if skip < 0:
        raise SettingsError(f"skip={skip}; give the number of frames to leave out, 0 or more")
    collector = FrameCollector()
    if isinstance(trajectory, Atoms):
        raise StructureError("the trajectory is a single structure; give a sequence of frames")
    frames = _frames_of(Path(trajectory)) if isinstance(trajectory, str | Path) else trajectory
    for index, atoms in enumerate(frames):
        if not isinstance(atoms, Atoms):
            raise StructureError(f"frame {index} is a {type(atoms).__name__}, not an ase.Atoms")
        if index >= skip:
            collector.take(atoms)
    return collector.motion(interval, unwrapped)


def _frames_of(path: Path) -> Iterable[Atoms]:
    """Read the frames of a file one by one."""
    if not path.is_file():
        raise InputError(f"there is no file {path}; check the path")
    frames = iter(iread(path, ":"))
    while True:
        try:
            atoms = next(frames)
        except StopIteration:
            return
        except Exception as error:  # ASE's readers raise whatever they run into
            reason = str(error) or type(error).__name__
            raise InputError(f"{path} cannot be read ({reason}); give a trajectory that ase.io.read reads") from error
        yield atoms


def _continuous(positions: FloatArray, cell: FloatArray, unwrapped: bool | None) -> FloatArray:
    """Return positions without jumps to other periodic images."""
    if unwrapped:
        return positions
    inverse = np.linalg.inv(cell)
    steps = np.diff(positions, axis=0) @ inverse
    if unwrapped is None and np.abs(steps).max() <= LONGEST_STEP:
        return positions
    steps -= np.round(steps)
    longest = np.unravel_index(np.argmax(np.abs(steps)), steps.shape)
    if abs(steps[longest]) > LONGEST_STEP:
        raise StructureError(
            f"atom {longest[1]} moves by {abs(steps[longest]):.2f} of a cell vector between frames {longest[0]} and "
            f"{longest[0] + 1}: its periodic image cannot be told above {LONGEST_STEP:g}; write frames more often, or "
            "give positions that are not wrapped, with unwrapped=True"
        )
    return np.concatenate([positions[:1], positions[0] + np.cumsum(steps @ cell, axis=0)])
