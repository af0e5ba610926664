"""Potentials to and from model files."""

import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from linmlp.descriptors import ACE, SOAP, Descriptor, DScribeDescriptor, ImportedACE, JoinedDescriptors, KernelFeatures
from linmlp.exceptions import ModelFileError
from linmlp.potentials.baseline_setting import baseline_setting_from_state, baseline_setting_state
from linmlp.potentials.cv_results_state import cv_results_from_state, cv_results_to_state
from linmlp.potentials.holes import HoleRows
from linmlp.potentials.incremental import settings_snapshot
from linmlp.potentials.model_file import read_model_file, write_model_file
from linmlp.potentials.setting_states import features_from_state, plain, solver_argument, solver_from_state
from linmlp.potentials.solver_setting import UpToDegree, resolve_features
from linmlp.potentials.system_state import system_from_state, system_to_state
from linmlp.potentials.uncertainty import Uncertainty
from linmlp.solvers import Solution, Status
from linmlp.structures import ReferenceEnergies, baseline_from_state
from linmlp.system import LossWeights
from linmlp.units import FloatArray

if TYPE_CHECKING:
    from linmlp.potentials.linear import LinearPotential

DESCRIPTORS: dict[str, type[Descriptor]] = {
    "ACE": ACE,
    "ImportedACE": ImportedACE,
    "SOAP": SOAP,
    "DScribeDescriptor": DScribeDescriptor,
    "KernelFeatures": KernelFeatures,
    "JoinedDescriptors": JoinedDescriptors,
}
PACKAGES = ("linmlp", "numpy", "scipy", "scikit-learn", "numba", "ase", "vesin")
UNITS = {"energy": "eV", "length": "Å", "forces": "eV/Å", "stress": "eV/Å³, positive under tension"}
SETTINGS = [
    "energy_weight",
    "force_weight",
    "stress_weight",
    "energy_per",
    "group_weights",
    "alpha",
    "solver",
    "prior",
    "e0",
    "keep_system",
    "fold_rows",
    "fill_holes",
    "uncertainty",
    "n_folds",
    "form",
    "energy_key",
    "forces_key",
    "stress_key",
    "virial_key",
    "random_state",
]


def save_potential(potential: "LinearPotential", path: str | os.PathLike[str], system: bool = True) -> None:
    """Write a fitted potential to a model file.

    Parameters
    ----------
    potential : LinearPotential
        Fitted.
    path : path-like
        Where to write.
    system : bool, default=True
        Whether the folded rows go into the file, if the potential kept them.
    """
    from linmlp.potentials.sparse_kernel import SparseKernelPotential

    settings, arrays = potential.descriptor_.to_state()
    solution = potential.solution_
    named = {f"descriptor/{name}": array for name, array in arrays.items()}
    header = {
        "kind": "sparse kernel" if isinstance(potential, SparseKernelPotential) else "linear",
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
            "hole_weight": None if potential.holes_ is None else potential.holes_.weight,
            "cv_errors": potential.cv_errors_,
            "cv_results": cv_results_to_state(potential.cv_results_),
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
            **{name: plain(getattr(potential, name)) for name in SETTINGS},
            "features": _features_state(potential),
            "baseline": baseline_setting_state(potential.baseline, len(potential.baselines_)),
        },
    }
    if system and potential.system_ is not None:
        header["system"], folded = system_to_state(potential.system_)
        named |= {f"system/{name}": array for name, array in folded.items()}
    if potential.holes_ is not None:
        named |= {f"holes/{name}": getattr(potential.holes_, name) for name in ("X", "y", "lowest")}
    if potential.uncertainty_ is not None:
        named |= {f"uncertainty/{name}": array for name, array in potential.uncertainty_.to_state(system).items()}
    write_model_file(path, header, {"coef": potential.coef_, **named})


def _features_state(potential: "LinearPotential") -> Any:
    """Return the setting of features; a function of the user's own is stored as the indices that it gave."""
    if callable(potential.features) and not isinstance(potential.features, UpToDegree):
        return plain(resolve_features(potential.features, potential.descriptor_))
    return plain(potential.features)


def load(path: str | os.PathLike[str], baseline: Any = None) -> "LinearPotential":
    """Return the potential of a model file.

    Parameters
    ----------
    path : path-like
        A file that `save` wrote, or a linear ``.yace`` file of LAMMPS (see `linmlp.export.read_yace`).
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
    from linmlp.potentials.sparse_kernel import SparseKernelPotential

    if Path(path).suffix == ".yace":
        from linmlp.export import read_yace

        return read_yace(Path(path))
    header, arrays = read_model_file(path)
    try:
        described = header["descriptor"]
        states = {name.removeprefix("descriptor/"): a for name, a in arrays.items() if name.startswith("descriptor/")}
        descriptor = DESCRIPTORS[described["class"]].from_state(described["settings"], states)
        baselines = tuple(baseline_from_state(state, baseline) for state in header["baselines"])
        fit = header["fit"]
        settings = dict(header["settings"])
        settings["solver"] = solver_from_state(settings.get("solver"))
        settings["prior"] = solver_argument(settings.get("prior"))
        settings["features"] = features_from_state(settings.get("features"))
        settings["baseline"] = baseline_setting_from_state(settings.get("baseline", ["zbl"]), baselines)
        kind = SparseKernelPotential if header["kind"] == "sparse kernel" else LinearPotential
        potential = kind._with_features(descriptor, settings)
        potential.descriptor_, potential.baselines_ = descriptor, baselines
        potential.reference_ = ReferenceEnergies.from_state(header["reference"])
        potential.coef_ = _check_coefficients(arrays["coef"], descriptor.n_features_out_)
        status = Status[fit["status"]]
        potential.solution_ = Solution(
            arrays["coef"], fit["rank"], fit["condition_number"], fit["residual_norm"], status
        )
        potential.loss_weights_ = LossWeights(**header["loss_weights"])
        potential.alpha_, potential.form_, potential.core_weight_ = fit["alpha"], fit["form"], fit["core_weight"]
        potential.cv_errors_ = fit["cv_errors"]
        potential.cv_results_ = cv_results_from_state(fit.get("cv_results", {}))  # files of before have none
        potential.loss_share_, potential.notes_ = fit["loss_share"], tuple(fit["notes"])
        potential.training_ = header["training"]
        folded = {name.removeprefix("system/"): a for name, a in arrays.items() if name.startswith("system/")}
        potential.system_ = system_from_state(header["system"], folded) if "system" in header else None
        stated = {name.removeprefix("uncertainty/"): a for name, a in arrays.items() if name.startswith("uncertainty/")}
        potential.uncertainty_ = Uncertainty.from_state(stated) if stated else None
        holes = {name.removeprefix("holes/"): a for name, a in arrays.items() if name.startswith("holes/")}
        potential.holes_ = HoleRows(**holes, weight=fit["hole_weight"]) if holes else None
        potential.fitted_settings_ = settings_snapshot(potential)
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


def _check_coefficients(coef: FloatArray, n_features: int) -> FloatArray:
    if coef.shape != (n_features,) or not np.isfinite(coef).all():
        raise ModelFileError(f"the coefficients must be {n_features} finite numbers; the file is damaged")
    return coef


def _version(package: str) -> str:
    return version(package)
