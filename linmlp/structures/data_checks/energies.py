"""Energies that are off from those of structures alike."""

import numpy as np

from linmlp.structures.data_checks.contract import DataSet, Finding
from linmlp.structures.reference import composition_matrix
from linmlp.structures.rejection import NORMAL_MAD, fit_least_absolute
from linmlp.units import FloatArray

MIN_MEMBERS = 8
"""Structures of a group below which it is not judged by itself but with all others."""

PER_COLUMN = 4
"""Structures per unknown that the mean square of forces needs to become one of the unknowns."""

FAR = 6.0
"""Robust standard deviations from which on an energy is mentioned: one normal number in 5e8 is as far."""

FAR_ENERGY = 0.1
"""Deviation of the energy per atom (eV) below which nothing is said: groups of one crystal have almost no spread."""


def check_energies(data: DataSet) -> list[Finding]:
    """Return structures whose energy per atom is far from a robust fit within their group.

    Unknowns are the composition, volume per atom and its square, and in groups that are large enough the mean square
    of the forces. Small groups are judged by a fit to all structures, without the forces.
    """
    groups = data.members(lambda labels: labels.config_type)
    usable = [i for i, labels in enumerate(data.labels) if labels.energy is not None and labels.n_atoms > 1]
    small: set[int] = set()
    found = []
    for members in groups.values():
        used = [i for i in members if i in set(usable)]
        if len(used) < MIN_MEMBERS:
            small.update(used)
        else:
            found += _judge(data, used, set(used), "its group")
    if small and len(usable) >= MIN_MEMBERS:
        found += _judge(data, usable, small, "all structures")
    return found


def _judge(data: DataSet, used: list[int], judged: set[int], fellows: str) -> list[Finding]:
    """Return findings about the judged ones of the structures that are fitted."""
    deviations, spread = _deviations(data, used)
    found = []
    for index, deviation in zip(used, deviations, strict=True):
        far = abs(deviation) / spread
        if index in judged and far > FAR and abs(deviation) > FAR_ENERGY:
            seen = f"energy {deviation:+.3g} eV/atom off the fit to {fellows} ({far:.0f} sigma)"
            advice = "compare the settings of this calculation with the others, and whether it converged"
            # Never an error: in a group of many phases or temperatures a sound energy may be as far.
            found.append(data.finding("warning", "energies", (index,), seen, f"within {FAR:g} sigma", advice))
    return found


def _deviations(data: DataSet, used: list[int]) -> tuple[FloatArray, float]:
    """Return the deviations of energies per atom from a least absolute fit (eV), and their robust spread."""
    labels = [data.labels[i] for i in used]
    sizes = np.array([item.n_atoms for item in labels], dtype=float)
    energies = np.array([item.energy for item in labels], dtype=float) / sizes
    elements = sorted({symbol for i in used for symbol in data.structures[i].get_chemical_symbols()})
    columns = composition_matrix([item.numbers for item in labels], elements) / sizes[:, None]
    volumes = [item.volume for item in labels]
    if all(volume is not None for volume in volumes) and all(data.structures[i].pbc.all() for i in used):
        per_atom = np.array(volumes, dtype=float) / sizes
        scaled = (per_atom - np.median(per_atom)) / np.median(per_atom)
        columns = np.column_stack([columns, scaled, scaled**2])
    forces = [item.forces for item in labels]
    is_group = len({item.config_type for item in labels}) == 1
    if is_group and len(used) >= PER_COLUMN * (columns.shape[1] + 1) and all(array is not None for array in forces):
        # Displacements u in springs of constant k cost k u²/2 = F²/(2k): in one group the energy follows F².
        squares = np.array([np.mean(np.square(array)) for array in forces if array is not None])
        columns = np.column_stack([columns, squares / max(float(np.median(squares)), 1e-12)])
    deviations = energies - fit_least_absolute(columns, energies)
    deviations -= np.median(deviations)
    middle = (len(used) + columns.shape[1]) // 2
    # A part of the deviations is zero by the fit itself: the spread is that of the others.
    spread = NORMAL_MAD * float(np.sort(np.abs(deviations))[min(middle, len(used) - 1)])
    return deviations, max(spread, 1e-6)
