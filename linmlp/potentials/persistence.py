"""Potentials to and from model files."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from linmlp.descriptors import ACE, Descriptor
from linmlp.exceptions import ModelFileError
from linmlp.potentials.baseline_setting import baseline_setting_from_state, baseline_setting_state
from linmlp.potentials.model_file import read_model_file, write_model_file
from linmlp.solvers import Solution, Status
from linmlp.structures import LabelSet, ReferenceEnergies, baseline_from_state
from linmlp.system import LossWeights
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.potentials.linear import LinearPotential

DESCRIPTORS: dict[str, type[Descriptor]] = {"ACE": ACE}
PACKAGES = ("linmlp", "numpy", "scipy", "scikit-learn", "numba", "ase", "vesin")
UNITS = {"energy": "eV", "length": "Å", "forces": "eV/Å", "stress": "eV/Å³, positive under tension"}
SETTINGS = [
    "energy_weight",
    "force_weight",
    "stress_weight",
    "energy_per",
    "group_weights",
    "alpha",
    "e0",
    "n_folds",
    "form",
    "energy_key",
    "forces_key",
    "stress_key",
    "virial_key",
    "random_state",
]


def data_hash(structures: Sequence[Atoms], labels: LabelSet) -> str:
    """Return a hash of structures and labels that tells whether two fits saw the same data.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    labels : LabelSet
        Their labels.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for structure, label in zip(structures, labels, strict=True):
        for array in (structure.numbers, structure.positions, structure.cell.array, structure.pbc):
            digest.update(np.ascontiguousarray(array).tobytes())
        for value in (label.energy, label.forces, label.stress):
            digest.update(b"-" if value is None else np.ascontiguousarray(value, dtype=float).tobytes())
    return digest.hexdigest()


def save_potential(potential: "LinearPotential", path: str | os.PathLike[str]) -> None:
    """Write a fitted potential to a model file.

    Parameters
    ----------
    potential : LinearPotential
        Fitted.
    path : path-like
        Where to write.
    """
    settings, arrays = potential.descriptor_.to_state()
    solution = potential.solution_
    header = {
        "kind": "linear",
        "elements": list(potential.descriptor_.elements_),
        "units": UNITS,
        "versions": {package: _version(package) for package in PACKAGES},
        "descriptor": {"class": type(potential.descriptor_).__name__, "settings": settings},
        "reference": potential.reference_.to_state(),
        "baselines": [baseline.to_state() for baseline in potential.baselines_],
        "loss_weights": _weights_state(potential.loss_weights_),
        "fit": {
            "alpha": potential.alpha_,
            "form": potential.form_,
            "core_weight": potential.core_weight_,
            "cv_errors": potential.cv_errors_,
            "loss_share": potential.loss_share_,
            "notes": list(potential.notes_),
            "rejected": [list(pair) for pair in potential.rejected_],
            "rank": solution.rank,
            "condition_number": solution.condition_number,
            "residual_norm": solution.residual_norm,
            "status": solution.status.name,
        },
        "training": potential.training_,
        "settings": {
            **{name: _plain(getattr(potential, name)) for name in SETTINGS},
            "baseline": baseline_setting_state(potential.baseline, len(potential.baselines_)),
        },
    }
    named = {f"descriptor/{name}": array for name, array in arrays.items()}
    write_model_file(path, header, {"coef": potential.coef_, **named})


def load(path: str | os.PathLike[str], baseline: Any = None) -> "LinearPotential":
    """Return the potential of a model file.

    Parameters
    ----------
    path : path-like
        A file that `save` wrote.
    baseline : ASE calculator, optional
        Needed if the potential was fitted on top of one.

    Returns
    -------
    LinearPotential
        Fitted.

    Raises
    ------
    ModelFileError
        If the file is missing, broken, foreign or newer, or a baseline is missing.
    """
    from linmlp.potentials.linear import LinearPotential

    header, arrays = read_model_file(path)
    try:
        described = header["descriptor"]
        states = {name.removeprefix("descriptor/"): a for name, a in arrays.items() if name.startswith("descriptor/")}
        descriptor = DESCRIPTORS[described["class"]].from_state(described["settings"], states)
        baselines = tuple(baseline_from_state(state, baseline) for state in header["baselines"])
        fit = header["fit"]
        settings = dict(header["settings"])
        settings["baseline"] = baseline_setting_from_state(settings.get("baseline", ["zbl"]), baselines)
        potential = LinearPotential(type(descriptor)(**descriptor.get_params()), **settings)
        potential.descriptor_, potential.baselines_ = descriptor, baselines
        potential.reference_ = ReferenceEnergies.from_state(header["reference"])
        potential.coef_ = _check_coefficients(arrays["coef"], descriptor.n_features_out_)
        status = Status[fit["status"]]
        potential.solution_ = Solution(
            arrays["coef"], fit["rank"], fit["condition_number"], fit["residual_norm"], status
        )
        potential.loss_weights_ = LossWeights(**header["loss_weights"])
        potential.alpha_, potential.form_, potential.core_weight_ = fit["alpha"], fit["form"], fit["core_weight"]
        potential.cv_errors_, potential.cv_results_ = fit["cv_errors"], {}
        potential.loss_share_, potential.notes_ = fit["loss_share"], tuple(fit["notes"])
        potential.training_ = header["training"]
        potential.rejected_ = [tuple(pair) for pair in fit.get("rejected", ())]
        potential.n_features_in_ = descriptor.n_features_out_
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path} is not what a model of schema {header['schema']} is ({type(error).__name__}: {error}); "
            "save the model again"
        ) from error
    return potential


def _weights_state(weights: LossWeights) -> dict[str, Any]:
    groups = None if weights.groups is None else dict(weights.groups)
    return {
        "energy": weights.energy,
        "force": weights.force,
        "stress": weights.stress,
        "energy_per": weights.energy_per,
        "groups": groups,
    }


def _plain(value: Any) -> Any:
    """Return a setting as JSON takes it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _check_coefficients(coef: FloatArray, n_features: int) -> FloatArray:
    if coef.shape != (n_features,) or not np.isfinite(coef).all():
        raise ModelFileError(f"the coefficients must be {n_features} finite numbers; the file is damaged")
    return coef


def _version(package: str) -> str:
    return version(package)
