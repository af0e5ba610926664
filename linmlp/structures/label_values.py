"""Raw labels turned into checked arrays of the shapes and units of this library."""

from typing import Any

import numpy as np

from linmlp.exceptions import LabelError
from linmlp.structures.label_search import Found
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray, voigt_from_matrix

ASYMMETRY = 0.05
"""Largest difference between the two triangles of a stress tensor, relative to its largest component."""

STRESS_NOISE = 1e-4
"""Asymmetry and disagreement below this (eV/Å³, 0.016 GPa) are noise."""

AGREEMENT = 0.01
"""Largest relative difference between a stress and a virial that are to say the same."""

KNOWN_FACTORS = {
    "GPa": EV_PER_A3_IN_GPA,
    "kbar": 10.0 * EV_PER_A3_IN_GPA,
    "MPa": 1e3 * EV_PER_A3_IN_GPA,
    "bar": 1e4 * EV_PER_A3_IN_GPA,
}


def read_energy(found: Found) -> float:
    """Return an energy label as a number.

    Parameters
    ----------
    found : Found
        Value as stored, eV.

    Returns
    -------
    float
        Energy, eV.
    """
    value = _to_array(found)
    if value.size != 1:
        raise LabelError(f"the energy ({found.source}) has shape {value.shape}; it must be one number, the total in eV")
    return float(value.reshape(-1)[0])


def read_forces(found: Found, n_atoms: int) -> FloatArray:
    """Return force labels as an array of one row per atom.

    Parameters
    ----------
    found : Found
        Value as stored, eV/Å.
    n_atoms : int
        Number of atoms of the structure.

    Returns
    -------
    ndarray of shape (n_atoms, 3)
        Forces, eV/Å.
    """
    value = _to_array(found)
    if value.shape != (n_atoms, 3):
        raise LabelError(f"the forces ({found.source}) have shape {value.shape}, but must have ({n_atoms}, 3)")
    return value


def read_tensor(found: Found, name: str, tolerance: float) -> FloatArray:
    """Return a stress or virial label as six Voigt components.

    Parameters
    ----------
    found : Found
        6 numbers (xx yy zz yz xz xy), 9 numbers or a 3x3 tensor.
    name : str
        "stress" or "virial", for messages.
    tolerance : float
        Asymmetry that counts as noise, in the unit of the value.

    Returns
    -------
    ndarray of shape (6,)
        Voigt components, in the unit of the value.
    """
    value = _to_array(found)
    if value.shape == (6,):
        return value
    if value.shape not in ((9,), (3, 3)):
        raise LabelError(
            f"the {name} ({found.source}) has shape {value.shape}; wanted are 6 numbers in the order "
            "xx yy zz yz xz xy, 9 numbers, or a 3x3 tensor"
        )
    tensor = value.reshape(3, 3)
    asymmetry = float(np.abs(tensor - tensor.T).max())
    if asymmetry > max(tolerance, ASYMMETRY * float(np.abs(tensor).max())):
        raise LabelError(
            f"the {name} ({found.source}) is not symmetric: {tensor.tolist()}; correct it, or leave it out"
        )
    return voigt_from_matrix(tensor)


def read_stress(
    stress: Found | None, virial: Found | None, volume: float, is_checked: bool = True
) -> tuple[FloatArray, str]:
    """Return the stress label of a structure that has a stress, a virial or both.

    Parameters
    ----------
    stress : Found or None
        Stress as stored, eV/Å³, positive under tension.
    virial : Found or None
        Virial as stored, eV; equals -volume times stress.
    volume : float
        Volume of the cell, Å³.
    is_checked : bool, default=True
        Whether both, if there, must agree.

    Returns
    -------
    stress : ndarray of shape (6,)
        Voigt components, eV/Å³.
    source : str
        Where it came from.
    """
    if virial is None:
        if stress is None:
            raise LabelError("neither stress nor virial given")
        return read_tensor(stress, "stress", STRESS_NOISE), stress.source
    from_virial = -read_tensor(virial, "virial", STRESS_NOISE * volume) / volume
    if stress is None:
        return from_virial, f"{virial.source} (-virial/volume)"
    direct = read_tensor(stress, "stress", STRESS_NOISE)
    difference = float(np.abs(direct - from_virial).max())
    if is_checked and difference > STRESS_NOISE + AGREEMENT * float(np.abs(direct).max()):
        raise LabelError(
            f"stress ({stress.source}) and virial ({virial.source}) contradict each other: "
            f"stress {_short(direct)}, -virial/volume {_short(from_virial)} eV/Å³. "
            f"{_explain(direct, from_virial, volume)} "
            "Wanted are stress in eV/Å³, positive under tension, and virial = -volume * stress in eV; "
            "correct one, or choose with stress_key or virial_key"
        )
    return direct, stress.source


def _explain(direct: FloatArray, from_virial: FloatArray, volume: float) -> str:
    """Return a sentence on the factor between two stresses that should be equal."""
    scale = float(from_virial @ from_virial)
    if scale == 0.0:
        return "The virial is zero."
    factor = float(direct @ from_virial) / scale
    residual = float(np.abs(direct - factor * from_virial).max())
    if residual > 0.05 * float(np.abs(direct).max()):
        return "They are not proportional (another order of components, or another calculation)."
    sign = ", with flipped sign" if factor < 0.0 else ""
    if abs(abs(factor) - 1.0) < 0.05:
        return f"The stress is {factor:.4g} times the other: the sign of one is flipped."
    for unit, known in KNOWN_FACTORS.items():
        if abs(abs(factor) / known - 1.0) < 0.05:
            return f"The stress is {factor:.5g} times the other: it seems to be in {unit}{sign}."
    if abs(abs(factor) / volume - 1.0) < 0.05:
        return f"The stress is {factor:.5g} times the other, the volume: one lacks the factor of the volume{sign}."
    return f"The stress is {factor:.5g} times the other."


def _to_array(found: Found) -> FloatArray:
    """Return a label as an array of finite numbers."""
    value: Any = found.value
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise LabelError(f"{found.source} is {value!r:.60}, not numbers") from None
    if not np.isfinite(array).all():
        raise LabelError(
            f"{found.source} holds NaN or infinite values; remove the label (or the structure), or mask forces with "
            "force_mask and stress components with stress_mask after setting them to a number"
        )
    return array


def _short(voigt: FloatArray) -> list[float]:
    """Return numbers rounded for a message."""
    return [float(f"{component:.4g}") for component in voigt]
