"""What is written down of an MD run."""

from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from linmlp.evaluation.md.failures import temperature_of
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

COLUMNS = ("time", "temperature", "potential_energy", "total_energy", "pressure", "volume")


@dataclass
class Trace:
    """Time series of an MD run, one row per recorded step.

    Parameters
    ----------
    rows : list of tuple of float
        time (ps), temperature (K), potential and total energy (eV per atom), pressure (GPa; NaN without a volume),
        volume (Å³ per atom; NaN without one).
    """

    rows: list[tuple[float, ...]] = field(default_factory=list)

    def record(self, atoms: Atoms, time: float) -> None:
        """Add a row.

        Parameters
        ----------
        atoms : ase.Atoms
            Evaluated, with momenta.
        time : float
            ps.
        """
        n_atoms, potential = len(atoms), atoms.get_potential_energy()
        volume = atoms.get_volume() if atoms.cell.rank == 3 else np.nan
        pressure = np.nan
        if np.isfinite(volume):
            # The ideal part of the pressure comes from the momenta.
            ideal = 2.0 * atoms.get_kinetic_energy() / (3.0 * volume)
            pressure = (ideal - float(np.mean(atoms.get_stress()[:3]))) * EV_PER_A3_IN_GPA
        self.rows.append(
            (
                time,
                temperature_of(atoms),
                potential / n_atoms,
                (potential + atoms.get_kinetic_energy()) / n_atoms,
                pressure,
                volume / n_atoms,
            )
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> FloatArray:
        """Return a column by its name."""
        return np.array([row[COLUMNS.index(name)] for row in self.rows], dtype=float)

    def last(self) -> dict[str, float]:
        """Return the last row by the names of its columns."""
        return dict(zip(COLUMNS, self.rows[-1], strict=True))
