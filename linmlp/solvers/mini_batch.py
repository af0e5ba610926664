r"""Mini-batch gradient descent with variance reduction, for features that are too many for a square matrix of them.

The loss is that of `Ridge`, :math:`\|Xc - y\|^2 + \alpha \|Dc\|^2`. Coefficients are preconditioned by a sample of rows
(`linmlp.solvers.preconditioning`). At the start of every epoch the gradient of all rows is taken at the present point;
the steps of the epoch use the gradient of a batch, corrected by what the same batch said at that point [1]_: the noise
of the batches vanishes at the minimum, so that the descent ends there instead of around it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from sklearn.utils.validation import validate_data

from linmlp.exceptions import LinmlpWarning, SettingsError
from linmlp.solvers.preconditioning import Preconditioner
from linmlp.solvers.row_solver import RowSolver, Run
from linmlp.solvers.solution import Solution, Status
from linmlp.system.row_source import RowSource
from linmlp.system.row_system import RowSystem
from linmlp.units import FloatArray, IntArray

POWER_STEPS = 6
"""Power iterations that measure the curvature of a batch."""

PROBED_BATCHES = 3
"""Batches whose curvature is measured for an automatic learning rate."""

SAFETY = 0.5
"""The automatic learning rate in units of one over the largest curvature measured; halved where that is too much."""

MAX_HALVINGS = 10
"""How often an automatic learning rate is halved because the gradient grew in an epoch."""

LEAST_STEPS = 8
"""Steps of an epoch at least: where the batches are fewer, they are taken again in another order."""

BLOWN_UP = 1e6
"""The descent diverges where the gradient has grown by this factor."""


class Epoch(NamedTuple):
    """One point of the learning curve: losses without the penalty (NaN without a validation set)."""

    epoch: int
    training_loss: float
    validation_loss: float


class MiniBatchGradientDescent(RowSolver):
    """Ridge regression by mini-batch gradient descent; it takes no sample weights.

    Parameters
    ----------
    alpha : float, default=1e-8
        Strength, a pure number on columns scaled to unit norm; above 0.
    learning_rate : float or "auto", default="auto"
        Length of a step in preconditioned coefficients, where the loss has a curvature near 1. "auto" is computed from
        the largest curvature of some batches.
    batch_size : int, default=64
        Rows of a batch; structures, for a source of structures.
    max_epochs : int, default=200
        Most epochs; each is one pass for the gradient of all rows, and one in batches (more where these are few).
    momentum : float, default=0.0
        Part of the last step that is added to the next one, 0 or more and below 1.
    tol : float, default=1e-7
        The descent has converged when the preconditioned gradient has fallen to this part of the first one.
    early_stopping : bool, default=False
        Whether to hold out rows (structures) and to stop when their loss no longer falls; the coefficients with the
        smallest validation loss are returned.
    validation_fraction : float, default=0.1
        Part that is held out.
    patience : int, default=5
        Epochs without a lower validation loss after which to stop.
    sample_rows : float, default=4.0
        Rows of the sample for the preconditioner, in units of the features.
    random_state : int, default=0
        Seed of sample, validation set and batches.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients.
    solution_ : Solution
        Coefficients, residual norm and status; NOT_CONVERGED unless the gradient has vanished to `tol`, or the
        validation set stopped the descent.
    learning_curve_ : list of Epoch
        Losses after every epoch.
    n_iter_ : int
        Epochs.
    n_features_in_ : int
        Number of features.

    References
    ----------
    .. [1] R. Johnson and T. Zhang, "Accelerating stochastic gradient descent using predictive variance reduction",
       NIPS 26 (2013).

    Examples
    --------
    >>> from linmlp.solvers import MiniBatchGradientDescent
    >>> X, y = [[1.0, 0.0], [0.0, 2.0], [1.0, 2.0]], [1.0, 4.0, 5.0]
    >>> MiniBatchGradientDescent(alpha=1e-10, batch_size=2).fit(X, y).coef_.round(4)
    array([1., 2.])
    """

    learning_curve_: list[Epoch]

    def __init__(
        self,
        alpha: float = 1e-8,
        learning_rate: float | Literal["auto"] = "auto",
        batch_size: int = 64,
        max_epochs: int = 200,
        momentum: float = 0.0,
        tol: float = 1e-7,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        sample_rows: float = 4.0,
        random_state: int = 0,
    ) -> None:
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.momentum = momentum
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.sample_rows = sample_rows
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:  # type: ignore[override]
        """Fit to rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Design matrix.
        y : array-like of shape (n_rows,)
            Targets.

        Returns
        -------
        self
            The fitted solver.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        return self.fit_system(RowSystem(X, np.asarray(y, dtype=float)))

    def _remember(self, run: Run) -> None:
        super()._remember(run)
        self.learning_curve_ = run.curve

    def _iterate(self, rows: RowSource, alpha: float) -> Run:
        """Return the solution, without its residual norm, and the learning curve."""
        self._check(alpha)
        rng = np.random.default_rng(self.random_state)
        train, held_out = rows, None
        if self.early_stopping:
            order = rng.permutation(rows.n_units)
            n_held = max(1, round(self.validation_fraction * rows.n_units))
            if n_held >= rows.n_units:
                raise SettingsError(
                    f"{rows.n_units} rows leave nothing to train on beside a validation set of {n_held}"
                )
            train, held_out = rows.subset(np.sort(order[n_held:])), rows.subset(np.sort(order[:n_held]))
        problem = _Problem(train, Preconditioner.of(train, alpha, self.sample_rows, self.random_state), alpha)
        batch = min(self.batch_size, max(train.n_units, 1))
        step = self._step_length(problem, batch, rng)
        best, curve, ended = self._run_epochs(problem, held_out, batch, step, rng)
        if ended != "":
            warnings.warn(f"gradient descent has not converged: {ended}", LinmlpWarning, stacklevel=4)
        status = Status.SOLVED if ended == "" else Status.NOT_CONVERGED
        return Run(Solution(best, problem.map.n_used, np.nan, 0.0, status), len(curve), curve)

    def _step_length(self, problem: _Problem, batch: int, rng: np.random.Generator) -> float:
        """Return the learning rate: a batch of all rows has no noise, so that its curvature alone limits the step."""
        if not isinstance(self.learning_rate, str):
            return float(self.learning_rate)
        safety = 1.0 if batch >= problem.rows.n_units else SAFETY
        return safety * (1.0 - self.momentum) / problem.curvature(batch, rng)

    def _run_epochs(
        self, problem: _Problem, held_out: RowSource | None, batch: int, step: float, rng: np.random.Generator
    ) -> tuple[FloatArray, list[Epoch], str]:
        """Return the coefficients, the learning curve, and why it ended too early ("" if it did not)."""
        v, velocity = np.zeros(problem.rows.n_features), np.zeros(problem.rows.n_features)
        curve: list[Epoch] = []
        best, lowest, waited, halvings = problem.coef(v), np.inf, 0, 0
        gradient, loss = problem.gradient(v)
        first = float(np.linalg.norm(gradient))
        for epoch in range(self.max_epochs):
            if np.linalg.norm(gradient) <= self.tol * first:
                return problem.coef(v), curve, ""
            before = _Point(v, gradient, loss)
            v, velocity = problem.sweep(v, velocity, gradient, batch, step, self.momentum, rng)
            gradient, loss = problem.gradient(v)
            size = float(np.linalg.norm(gradient))
            if self.learning_rate == "auto" and halvings < MAX_HALVINGS and not size < np.linalg.norm(before.gradient):
                # The curvature of some batches is more than that of those that were probed: back, with smaller steps.
                v, gradient, loss = before.v, before.gradient, before.loss
                velocity, step, halvings = np.zeros_like(v), 0.5 * step, halvings + 1
                size = float(np.linalg.norm(gradient))
            if not np.isfinite(size) or size > BLOWN_UP * first:
                return best, curve, f'it diverges with learning_rate {step:.3g}; lower it, or leave it at "auto"'
            validation = np.nan if held_out is None else problem.validate(v, held_out)
            curve.append(Epoch(epoch + 1, loss, validation))
            if held_out is None:
                best = problem.coef(v)
                continue
            waited = 0 if validation < lowest else waited + 1
            if validation < lowest:
                best, lowest = problem.coef(v), validation
            if waited >= self.patience:
                return best, curve, ""
        if np.linalg.norm(gradient) <= self.tol * first:
            return best, curve, ""
        left = float(np.linalg.norm(gradient)) / first
        return best, curve, f"the gradient is {left:.1e} of the first one after max_epochs={self.max_epochs}; raise it"

    def _check(self, alpha: float) -> None:
        """Raise where a setting cannot be used."""
        if not (np.isfinite(alpha) and alpha > 0.0):
            raise SettingsError(f"alpha is {alpha}; it must be a finite number above 0")
        rate = self.learning_rate
        if (isinstance(rate, str) and rate != "auto") or (not isinstance(rate, str) and not rate > 0.0):
            raise SettingsError(f'learning_rate={rate!r}; it must be "auto" or a number above 0')
        if not 0.0 <= self.momentum < 1.0:
            raise SettingsError(f"momentum={self.momentum}; it must be 0 or more and below 1")
        if not 0.0 < self.validation_fraction < 1.0:
            raise SettingsError(f"validation_fraction={self.validation_fraction}; it must be between 0 and 1")
        for name in ("batch_size", "max_epochs", "patience", "sample_rows", "tol"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name}={getattr(self, name)}; it must be above 0")


class _Point(NamedTuple):
    v: FloatArray
    gradient: FloatArray
    loss: float


@dataclass(frozen=True)
class _Problem:
    """The loss in preconditioned coefficients; gradients are halved."""

    rows: RowSource
    map: Preconditioner
    alpha: float

    def coef(self, v: FloatArray) -> FloatArray:
        """Return the coefficients."""
        return np.asarray(self.map.to_scaled(v) / self.map.scale)

    def gradient(self, v: FloatArray) -> tuple[FloatArray, float]:
        """Return half the gradient over all rows, and the squared residual."""
        u = self.map.to_scaled(v)
        found = self.rows.normal_pass(u / self.map.scale)
        return self.map.pull_gradient(self.alpha * u - found.residual / self.map.scale), found.squared

    def curve(self, v: FloatArray, units: IntArray) -> FloatArray:
        """Return the Hessian of a batch, counted for all rows, times a vector: kept rows and penalty count whole."""
        u = self.map.to_scaled(v)
        c = u / self.map.scale
        total = (self.rows.kept.X @ c) @ self.rows.kept.X
        factor = self.rows.n_units / max(len(units), 1)
        for part in self.rows.stream(units):
            total = total + factor * ((part.X @ c) @ part.X)
        return self.map.pull_gradient(total / self.map.scale + self.alpha * u)

    def sweep(
        self,
        v: FloatArray,
        velocity: FloatArray,
        gradient: FloatArray,
        batch: int,
        step: float,
        momentum: float,
        rng: np.random.Generator,
    ) -> tuple[FloatArray, FloatArray]:
        """Return the point and the last step after one epoch of batches from a point with its full gradient."""
        start, n = v, self.rows.n_units
        with np.errstate(over="ignore", invalid="ignore"):
            n_batches = max(-(-n // batch), 1)
            shuffled = [np.array_split(rng.permutation(n), n_batches) for _ in range(-(-LEAST_STEPS // n_batches))]
            for units in (units for batches in shuffled for units in batches):
                # The loss is quadratic: what a batch says here minus what it said at the start is a Hessian product.
                slope = gradient + self.curve(v - start, np.sort(units))
                velocity = momentum * velocity - step * slope
                v = v + velocity
        return v, velocity

    def curvature(self, batch: int, rng: np.random.Generator) -> float:
        """Return the largest curvature of some batches, by power iteration."""
        largest = float(np.finfo(float).tiny)
        for _ in range(PROBED_BATCHES):
            units = np.sort(rng.choice(self.rows.n_units, batch, replace=False))
            v = rng.normal(size=self.rows.n_features)
            for _ in range(POWER_STEPS):
                v = v / max(float(np.linalg.norm(v)), np.finfo(float).tiny)
                v = self.curve(v, units)
            largest = max(largest, float(np.linalg.norm(v)))
        return largest

    def validate(self, v: FloatArray, held_out: RowSource) -> float:
        """Return the loss of held-out rows, with the reference energies of the training rows."""
        coef = self.coef(v)
        return held_out.fixed_reference_loss(coef, self.rows.composition.recover(coef))
