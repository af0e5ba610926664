"""ACE of a potential that another program fitted: evaluates, and cannot be fitted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn, Self

from ase import Atoms
from ase.data import chemical_symbols

from linmlp.descriptors.ace.basis import degree
from linmlp.descriptors.ace.descriptor import ACE
from linmlp.descriptors.ace.forms import RadialForm
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.base import Descriptor
from linmlp.descriptors.evaluators import Evaluator
from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray


class ImportedACE(ACE):
    """Functions of a linear ACE potential of another program, with radial functions of its own.

    It has an `evaluator`, for predictions; rows of a fit it has not. Arguments and attributes are those of `ACE`.
    """

    @classmethod
    def from_parameters(cls, parameters: AceParameters) -> Self:
        """Return the descriptor with given functions.

        Parameters
        ----------
        parameters : AceParameters
            Functions and radial functions.

        Returns
        -------
        ImportedACE
            Fitted, as it were.
        """
        order = max(map(len, parameters.functions), default=1)
        of_order: list[list[int]] = [[0] for _ in range(order)]
        for function in parameters.functions:
            of_order[len(function) - 1].append(degree(function))
        degrees = tuple(map(max, of_order))
        descriptor = cls(parameters.cutoff, order, degrees, parameters.radial_map.shape[2] - 1)
        descriptor.max_degree_ = degrees
        descriptor._set_parameters(parameters)
        return descriptor

    def fit(self, structures: Sequence[Atoms], y: Any = None) -> Self:
        """Raise SettingsError: what another program fitted is not fitted anew."""
        refuse_rows()

    def single_evaluator(self, coefficients: FloatArray) -> Evaluator:
        """Raise SettingsError: radial functions of other programs are evaluated in double precision."""
        return Descriptor.single_evaluator(self, coefficients)

    def to_state(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """Return the state as json-able settings and arrays."""
        settings, arrays = super().to_state()
        n = len(self.elements_)
        forms = [[list(self.parameters_.form(z, e)) for e in range(n)] for z in range(n)]
        return {**settings, "forms": forms}, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: dict[str, FloatArray]) -> Self:
        """Return the descriptor that `to_state` described."""
        descriptor = super().from_state(settings, arrays)
        forms = tuple(tuple(RadialForm(*form) for form in row) for row in settings["forms"])
        descriptor.parameters_ = replace(descriptor.parameters_, forms=forms)
        return descriptor

    def _set_parameters(self, parameters: AceParameters) -> None:
        self.parameters_ = parameters
        self.cutoff_ = parameters.cutoff
        self.elements_ = tuple(chemical_symbols[z] for z in parameters.numbers)
        self.n_features_out_ = parameters.n_features

    @property
    def _rows(self) -> Any:  # type: ignore[override]
        refuse_rows()


def refuse_rows(what: str = "a fit") -> NoReturn:
    """Raise SettingsError.

    Parameters
    ----------
    what : str
        What would need rows.

    Raises
    ------
    SettingsError
        Always.
    """
    raise SettingsError(
        f"{what} is not possible with a potential that was read from a file of another program: it predicts energies, "
        "forces and stress, but knows neither its training structures nor rows of a fit; fit a LinearPotential(ACE())"
    )
