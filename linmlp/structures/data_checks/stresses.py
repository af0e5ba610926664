"""Stresses of the wrong sign or unit."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import spearmanr

from linmlp.structures.data_checks.contract import DataSet, Finding
from linmlp.structures.data_checks.strain_work import StrainPair, strain_pairs
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

MISTAKES = {
    -1.0: "the sign is that of a pressure: positive under compression",
    0.1: "ten times too large: kbar taken for GPa",
    -0.1: "ten times too large and of the other sign: kbar taken for GPa",
    10.0: "ten times too small: GPa taken for kbar",
    1.0 / EV_PER_A3_IN_GPA: "the unit is GPa, not eV/Å³",
    -1.0 / EV_PER_A3_IN_GPA: "the unit is GPa, not eV/Å³, and the sign is that of a pressure",
    0.1 / EV_PER_A3_IN_GPA: "the unit is kbar, not eV/Å³",
    -0.1 / EV_PER_A3_IN_GPA: "the unit is kbar, not eV/Å³, and the sign is that of a pressure",
}
"""Factors that mend a stress, and the mistake each belongs to."""

TOLERANCE = 0.3
"""Relative deviation of a measured factor up to which it is taken for one of these: they are further apart."""

MIN_PAIRS = 3
"""Pairs of strained structures from which on their median is believed."""

MAX_STRESS = 4.0
"""Component (eV/Å³, 640 GPa) that no solid of a data set for potentials has; stresses in GPa are above it."""

MIN_POINTS = 8
"""Structures of one group and composition from which on pressure is related to volume."""

MIN_SPREAD = 0.03
"""Relative standard deviation of volume below which temperature moves the pressure more than volume does."""

RISING = 0.6
"""Rank correlation of pressure with volume that means a wrong sign: by stability it is near -1."""

WANTED = "dE = V σ:ε, eV/Å³, positive under tension"
"""The convention."""


def check_stresses(data: DataSet) -> list[Finding]:
    """Return stresses that contradict energies, by work between strained structures, or by size and slope without."""
    found: list[Finding] = []
    rest: list[int] = []  # of groups with too few pairs of their own: judged together
    rest_pairs: list[StrainPair] = []
    pairs = strain_pairs(data)
    for group, members in sorted(data.members(lambda labels: labels.config_type).items()):
        with_stress = [i for i in members if data.labels[i].stress is not None]
        inside = set(with_stress)
        own = [pair for pair in pairs if pair.i in inside and pair.j in inside]
        if len(own) >= MIN_PAIRS:
            found += _by_work(data, group, with_stress, own)
        else:
            found += _by_slope(data, group, with_stress)
            rest += with_stress if own else []
            rest_pairs += own
    if len(rest_pairs) >= MIN_PAIRS:
        found += _by_work(data, "groups with few pairs", sorted(rest), rest_pairs)
    found += _by_size(data)
    return found


def measured_factor(pairs: Sequence[StrainPair]) -> float:
    """Return the factor on the stresses that fits the energies best: the weighted median of the ratios.

    Parameters
    ----------
    pairs : sequence of StrainPair
        At least one.

    Returns
    -------
    float
        1 for consistent labels.
    """
    ratios = np.array([pair.change / pair.work for pair in pairs])
    weights = np.array([abs(pair.work) for pair in pairs])
    order = np.argsort(ratios)
    reached = np.searchsorted(np.cumsum(weights[order]), 0.5 * weights.sum())
    return float(ratios[order][reached])


def _mistake(factor: float) -> str | None:
    """Return the mistake that a factor means."""
    for known, text in MISTAKES.items():
        if abs(factor / known - 1.0) < TOLERANCE:
            return text
    return None


def _by_work(data: DataSet, group: str, members: Sequence[int], pairs: Sequence[StrainPair]) -> list[Finding]:
    factor = measured_factor(pairs)
    if abs(factor - 1.0) < TOLERANCE:
        return []
    text = _mistake(factor)
    seen = f"{group!r}: {len(pairs)} pairs of strained structures give dE = {factor:.3g} V σ:ε"
    advice = f"multiply the stresses by {factor:.3g}" if text else "compare energies and stresses of this group"
    severity = "error" if text else "warning"
    return [data.finding(severity, "stress", members, f"{seen} ({text or 'no known mistake'})", WANTED, advice)]


def _by_slope(data: DataSet, group: str, members: Sequence[int]) -> list[Finding]:
    """Return a finding where the pressure of a composition rises with the volume."""
    found = []
    compositions: dict[str, list[int]] = {}
    for i in members:
        atoms = data.structures[i]
        if atoms.pbc.all():
            compositions.setdefault(atoms.symbols.formula.reduce()[0].format("hill"), []).append(i)
    for formula, used in sorted(compositions.items()):
        volumes, pressures = _equation_of_state(data, used)
        if len(used) < MIN_POINTS or volumes.std() < MIN_SPREAD * volumes.mean() or not np.ptp(pressures) > 0.0:
            continue
        correlation = float(spearmanr(volumes, pressures).statistic)
        if correlation > RISING:
            seen = f"{group!r}, {formula}: pressure rises with volume (rank correlation {correlation:.2f})"
            advice = "change the sign of the stresses"
            found.append(data.finding("error", "stress", used, seen, WANTED, advice))
    return found


def _equation_of_state(data: DataSet, used: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Return volumes per atom (Å³) and pressures (eV/Å³)."""
    volumes = [(data.labels[i].volume or 0.0) / data.labels[i].n_atoms for i in used]
    stresses = [stress for i in used if (stress := data.labels[i].stress) is not None]
    return np.array(volumes), np.array([-stress[:3].mean() for stress in stresses])


def _by_size(data: DataSet) -> list[Finding]:
    """Return one finding about all stresses that are too large for any solid."""
    sizes = [0.0 if labels.stress is None else float(np.abs(labels.stress).max()) for labels in data.labels]
    large = [i for i, size in enumerate(sizes) if size > MAX_STRESS]
    if not large:
        return []
    seen = f"{len(large)} structures have stresses up to {max(sizes):.3g} eV/Å³"
    advice = f"are they in GPa or kbar? Divide by {EV_PER_A3_IN_GPA:.2f} or {10 * EV_PER_A3_IN_GPA:.1f}"
    return [data.finding("error", "stress", large, seen, f"below {MAX_STRESS:g} eV/Å³", advice)]
