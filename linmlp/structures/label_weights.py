"""Factors on the squared residuals of one structure, from the keys that other codes have made customary."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from linmlp.exceptions import LabelError
from linmlp.structures.label_search import Found, Sections
from linmlp.units import FloatArray, voigt_from_matrix

STRUCTURE_WEIGHTS = ("config_weight", "weight")
ENERGY_WEIGHTS = ("energy_weight", "config_energy_weight")
FORCE_WEIGHTS = ("force_weight", "forces_weight", "config_force_weight", "config_forces_weight")
STRESS_WEIGHTS = (
    "stress_weight",
    "virial_weight",
    "virials_weight",
    "config_stress_weight",
    "config_virial_weight",
    "config_virials_weight",
)
FORCE_SIGMAS = ("force_sigma", "forces_sigma")
STRESS_MASKS = ("stress_mask", "virial_mask")
WORDS = ("weight", "sigma", "mask")

Shapes = tuple[tuple[int, ...], ...]
Place = tuple[str, tuple[str, ...], Shapes]


@dataclass
class Weights:
    """Factors on squared residuals of one structure, and its sigmas before they are related to those of the others.

    Parameters
    ----------
    energy : float
        Factor for the energy.
    forces : ndarray of shape (n_atoms, 3)
        Factors for the force components.
    stress : ndarray of shape (6,)
        Factors for the stress components.
    sigmas : dict of str to ndarray
        Expected errors by kind ("energy", "force", "stress", "virial"), of the shapes of the factors.
    used : list of str
        The keys that were used.
    """

    energy: float
    forces: FloatArray
    stress: FloatArray
    sigmas: dict[str, FloatArray] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)


def read_weights(sections: Sections, n_atoms: int) -> Weights:
    """Return the weights and sigmas of one structure.

    Parameters
    ----------
    sections : Sections
        Places to search.
    n_atoms : int
        Number of atoms.

    Returns
    -------
    Weights
        All factors 1 where the structure says nothing.

    Raises
    ------
    LabelError
        If a weight is negative, a sigma not positive, or a shape wrong.
    """
    weights = Weights(1.0, np.ones((n_atoms, 3)), np.ones(6))
    if not any(word in str(key).lower() for part in (sections.info, sections.arrays) for key in part for word in WORDS):
        return weights
    _apply_weights(weights, sections)
    _apply_sigmas(weights, sections)
    mask = sections.find("arrays", ("force_mask", "forces_mask"))
    if mask is not None:
        weights.forces[_read_flags(mask, ((n_atoms,), (n_atoms, 3)))] = 0.0
        weights.used.append(mask.source)
    mask = sections.find("info", STRESS_MASKS)
    if mask is not None:
        flags = _read_flags(mask, ((6,), (9,), (3, 3)))
        weights.stress[flags if flags.shape == (6,) else voigt_from_matrix(flags.reshape(3, 3).astype(float)) > 0.0] = (
            0.0
        )
        weights.used.append(mask.source)
    return weights


def apply_sigmas(weights: list[Weights]) -> dict[str, float]:
    """Multiply factors by (reference / sigma) squared and return the reference sigma of each kind.

    The reference is the median over the structures that give a sigma of that kind (each by its own median), so sigmas
    say how much structures are trusted relative to each other: equal sigmas change nothing, and a structure without
    one counts like the median. The balance between energies, forces and stresses is left to the loss weights.

    Parameters
    ----------
    weights : list of Weights
        One per structure; changed in place.

    Returns
    -------
    dict of str to float
        Reference sigmas by kind.
    """
    references: dict[str, float] = {}
    for kind in ("energy", "force", "stress", "virial"):
        given = [float(np.median(item.sigmas[kind])) for item in weights if kind in item.sigmas]
        if given:
            references[kind] = float(np.median(given))
    for item in weights:
        for kind, sigma in item.sigmas.items():
            factor = (references[kind] / sigma) ** 2
            if kind == "energy":
                item.energy *= float(factor.reshape(-1)[0])
            elif kind == "force":
                item.forces *= factor
            else:
                item.stress *= factor
    return references


def _apply_weights(weights: Weights, sections: Sections) -> None:
    """Multiply the factors by all `*_weight` entries."""
    for names, targets in (
        (STRUCTURE_WEIGHTS, ("energy", "forces", "stress")),
        (ENERGY_WEIGHTS, ("energy",)),
        (FORCE_WEIGHTS, ("forces",)),
        (STRESS_WEIGHTS, ("stress",)),
    ):
        found = sections.find("info", names)
        if found is None:
            continue
        value = _read_numbers(found, ((),))
        if value.min() < 0.0:
            raise LabelError(f"{found.source} is {float(value):g}; a weight must be zero or positive")
        for target in targets:
            setattr(weights, target, getattr(weights, target) * float(value))
        weights.used.append(found.source)


def _apply_sigmas(weights: Weights, sections: Sections) -> None:
    """Collect all `*_sigma` entries; those of components go before those of atoms and of the structure."""
    n_atoms = len(weights.forces)
    candidates: dict[str, tuple[Place, ...]] = {
        "energy": (("info", ("energy_sigma",), ((),)),),
        "force": (
            ("arrays", ("force_component_sigma",), ((n_atoms, 3),)),
            ("arrays", ("force_atom_sigma",), ((n_atoms,),)),
            ("info", FORCE_SIGMAS, ((),)),
        ),
        "stress": (
            ("info", ("stress_component_sigma",), ((6,), (9,), (3, 3))),
            ("info", ("stress_sigma",), ((),)),
        ),
    }
    if sections.find("info", ("stress_component_sigma", "stress_sigma")) is None:
        candidates["virial"] = (
            ("info", ("virial_component_sigma",), ((6,), (9,), (3, 3))),
            ("info", ("virial_sigma",), ((),)),
        )
    for kind, places in candidates.items():
        for section, names, shapes in places:
            found = sections.find(section, names)
            if found is None:
                continue
            sigma = _read_numbers(found, shapes)
            if sigma.min() <= 0.0:
                raise LabelError(f"{found.source} has the value {sigma.min():g}; a sigma must be positive")
            if sigma.size == 9 and kind in ("stress", "virial"):
                sigma = voigt_from_matrix(sigma.reshape(3, 3))
            weights.sigmas[kind] = sigma[:, None] if section == "arrays" and sigma.ndim == 1 else sigma
            weights.used.append(found.source)
            break


def _read_numbers(found: Found, shapes: Shapes) -> FloatArray:
    """Return finite numbers of one of the given shapes."""
    try:
        value = np.array(found.value, dtype=float)
    except (TypeError, ValueError):
        raise LabelError(f"{found.source} is {found.value!r:.60}, not numbers") from None
    if shapes == ((),) and value.size == 1:
        value = value.reshape(())
    if value.shape not in shapes:
        raise LabelError(f"{found.source} has shape {value.shape}; wanted is {' or '.join(map(str, shapes))}")
    if not np.isfinite(value).all():
        raise LabelError(f"{found.source} holds NaN or infinite values")
    return value


def _read_flags(found: Found, shapes: Shapes) -> NDArray[np.bool_]:
    """Return logical values of one of the given shapes; True means: leave this out."""
    words = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}
    value = found.value
    if isinstance(value, str):
        value = value.split()
    flags = np.array(value)
    if flags.dtype.kind in "US":
        try:
            flags = np.array([words[str(word).lower()] for word in flags.reshape(-1)]).reshape(flags.shape)
        except KeyError:
            raise LabelError(f"{found.source} is {found.value!r:.60}; wanted are logical values (T or F)") from None
    if flags.shape not in shapes or not np.isin(flags, (0, 1)).all():
        raise LabelError(
            f"{found.source} has shape {flags.shape} and holds {flags.reshape(-1)[:3].tolist()}...; "
            f"wanted are logical values of shape {' or '.join(map(str, shapes))}"
        )
    return flags.astype(bool)
