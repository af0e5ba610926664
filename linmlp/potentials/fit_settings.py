"""What a user chose for a fit, checked before any work is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from linmlp.descriptors import Descriptor
from linmlp.exceptions import SettingsError
from linmlp.potentials.evidence_weights import EVIDENCE
from linmlp.potentials.solver_setting import FeatureSetting, PriorSetting, SolverChoice, resolve_solver
from linmlp.solvers import BayesianRidge, Ridge, RowSolver, SystemSolver
from linmlp.system import check_memory

CHOICES = {"energy_per": ("auto", "structure", "atom", "sqrt_atom"), "form": ("auto", "gram", "qr")}


@dataclass(frozen=True)
class FitSettings:
    """What a user chose; see `LinearPotential`. `alphas` is the grid that "auto" stands for."""

    energy_weight: float | str = "auto"
    force_weight: float | str = "auto"
    stress_weight: float | str = "auto"
    energy_per: str = "auto"
    group_weights: Mapping[str, float] | None = None
    alpha: float | str = "auto"
    solver: SystemSolver | None = None
    prior: PriorSetting = None
    features: FeatureSetting = None
    alphas: tuple[float, ...] | None = None
    n_folds: int = 5
    form: str = "auto"
    n_jobs: int | None = None
    max_memory: float | None = None
    random_state: int = 0
    memory: Any = None
    uncertainty: bool = False
    fold_rows: bool = True
    fill_holes: bool | str = "auto"

    def hunts_holes(self, descriptor: Descriptor) -> bool:
        """Return whether hot runs look for holes: if wanted; by default where nothing was said about the solver.

        Parameters
        ----------
        descriptor : Descriptor
            Fitted; by default it must afford hot runs, too.

        Returns
        -------
        bool
            False without forces.
        """
        if descriptor.derivatives_lack is not None:
            return False
        by_default = self.alpha == "auto" and self.solver is None and descriptor.affords_hot_runs
        return self.fill_holes is True or (self.fill_holes == "auto" and by_default)

    def __post_init__(self) -> None:
        for name in ("energy_weight", "force_weight", "stress_weight", "alpha"):
            value = getattr(self, name)
            words = ("auto", EVIDENCE) if name in ("energy_weight", "stress_weight") else ("auto",)
            if not (
                value in words if isinstance(value, str) else _is_number(value) and np.isfinite(value) and value >= 0
            ):
                told = ", ".join(f'"{word}"' for word in words)
                raise SettingsError(f"{name}={value!r}; it must be {told} or a finite number, 0 or more")
        if self.fill_holes not in (True, False, "auto"):
            raise SettingsError(f'fill_holes={self.fill_holes!r}; it must be True, False or "auto"')
        check_memory(self.memory)
        if self.uncertainty and not (self.solver is None or isinstance(self.solver, Ridge | BayesianRidge)):
            raise SettingsError(
                f"uncertainty=True is for ridge regression, but the solver is {type(self.solver).__name__}; leave "
                "solver at None (prior and features may be given), or uncertainty at False"
            )
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if not (isinstance(value, str) and value in choices):
                raise SettingsError(f"{name}={value!r} is not known; give one of {', '.join(choices)}")
        if not (isinstance(self.n_folds, int | np.integer) and self.n_folds >= 2):
            raise SettingsError(f"n_folds={self.n_folds!r}; it must be a whole number, 2 or more")
        if not (self.n_jobs is None or (isinstance(self.n_jobs, int | np.integer) and self.n_jobs != 0)):
            raise SettingsError(f"n_jobs={self.n_jobs!r}; it must be None, a number of threads, or -1 for all cores")
        if not (isinstance(self.random_state, int | np.integer) and self.random_state >= 0):
            raise SettingsError(f"random_state={self.random_state!r}; it must be a whole number, 0 or more")
        if not (self.group_weights is None or isinstance(self.group_weights, Mapping)):
            raise SettingsError(
                f'group_weights={self.group_weights!r}; it must be a dict such as {{"bulk": 2.0, "default": 1.0}}'
            )
        if not (self.max_memory is None or (_is_number(self.max_memory) and self.max_memory > 0)):
            raise SettingsError(f"max_memory={self.max_memory!r}; it must be None or a positive number of GB")
        if not self.fold_rows:
            self._check_row_settings()

    def _check_row_settings(self) -> None:
        """Raise where settings need rows that are folded."""
        if not isinstance(self.solver, RowSolver):
            raise SettingsError(
                "fold_rows=False is for solvers that take rows, LSMR and MiniBatchGradientDescent; solver is "
                f"{self.solver!r}"
            )
        if self.uncertainty or self.features is not None:
            raise SettingsError(
                "uncertainties and subsets of features come from folded rows; leave uncertainty at False and features "
                "at None, or fold_rows at True"
            )
        if self.finds_weights:
            raise SettingsError(
                f'weights by "{EVIDENCE}" come from folded rows; give numbers or "auto", or leave fold_rows at True'
            )

    @property
    def finds_weights(self) -> bool:
        """Whether loss weights are found on the training folds."""
        return EVIDENCE in (self.energy_weight, self.stress_weight)

    def solver_choice(self, descriptor: Descriptor) -> SolverChoice:
        """Return the solver, its strengths and the features that it may use."""
        return resolve_solver(self.solver, self.alpha, self.prior, self.features, descriptor)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)
