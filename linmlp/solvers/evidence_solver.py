"""What solvers share that find their strength by the evidence: there is nothing to vary."""

from __future__ import annotations

from collections.abc import Sequence

from linmlp.exceptions import SettingsError
from linmlp.solvers.base import SystemSolver
from linmlp.solvers.solution import Solution
from linmlp.system.compressed import CompressedSystem


class EvidenceSolver(SystemSolver):
    """Base of solvers without a strength to be given."""

    max_iter: int
    tol: float

    @property
    def path_parameter(self) -> None:
        """There is no strength to vary: the evidence decides."""

    def path_values(self, form: str, n_features: int) -> tuple[float, ...]:
        """Return the only value that is tried, NaN: the solver's own."""
        return (float("nan"),)

    def solve_path(self, system: CompressedSystem, values: Sequence[float]) -> list[Solution]:
        """Raise: nothing can be varied."""
        raise SettingsError(
            f"{type(self).__name__} finds its strength itself; to try given ones use Ridge, Lasso or ForwardSelection"
        )

    def _check_iterations(self) -> None:
        """Raise where the iteration cannot run."""
        if not (self.max_iter >= 1 and self.tol > 0.0):
            raise SettingsError(f"max_iter={self.max_iter}, tol={self.tol}; both must be above 0")
