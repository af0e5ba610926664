"""What SOAP computes: one immutable record, and the list of its functions."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from linmlp.descriptors.ace.basis import ANY, Channel, Function, channel_key
from linmlp.descriptors.ace.row_layout import RowCounts, RowPlan
from linmlp.descriptors.ace.row_plan import make_spline_row_plan
from linmlp.descriptors.ace.rows import AceRows
from linmlp.descriptors.elements import element_indices
from linmlp.descriptors.soap.radial import RadialBasis, padding, radial_functions
from linmlp.descriptors.splines import make_table
from linmlp.units import FloatArray, IntArray

Compression = Literal["off", "mu2", "mu1nu1", "crossover"]
CutoffFunction = Literal["cosine"] | None


def power_spectrum(n_elements: int, n_max: int, l_max: int, compression: Compression) -> tuple[Function, ...]:
    """Return the functions of the power spectrum, pairs of channels with the same l.

    Parameters
    ----------
    n_elements : int
        Number of elements.
    n_max : int
        Number of radial functions.
    l_max : int
        Largest angular momentum.
    compression : {"off", "mu2", "mu1nu1", "crossover"}
        Which pairs of densities there are: of all elements; of the sum over elements; of every element with that sum;
        of every element with itself.

    Returns
    -------
    tuple of Function
        By pair of elements, l, n, n', as dscribe orders them.
    """
    elements = range(n_elements)
    pairs = {
        "off": [(a, b) for a in elements for b in elements if a <= b],
        "mu2": [(ANY, ANY)],
        "mu1nu1": [(a, ANY) for a in elements],
        "crossover": [(a, a) for a in elements],
    }[compression]
    functions = []
    for a, b in pairs:
        for l in range(l_max + 1):
            for n in range(n_max):
                for m in range(n if a == b else 0, n_max):
                    channels: list[Channel] = [(a, n, l), (b, m, l)]
                    functions.append(tuple(sorted(channels, key=channel_key)))
    return tuple(functions)


@dataclass(frozen=True, eq=False)
class SoapParameters:
    """Elements, functions and radial functions of SOAP.

    Attributes
    ----------
    numbers : tuple of int
        Atomic numbers, ascending.
    n_max, l_max : int
        Size of the basis.
    basis : {"gto", "polynomial"}
        Radial basis.
    basis_cutoff : float
        Cutoff of the basis, Å.
    sigma : float
        Width of the Gaussians, Å.
    cutoff_function : {"cosine"} or None
        Factor of the density of a neighbor.
    compression : str
        Which pairs of densities there are.
    weights : tuple of float
        Factor of the density of every element.
    """

    numbers: tuple[int, ...]
    n_max: int
    l_max: int
    basis: RadialBasis
    basis_cutoff: float
    sigma: float
    cutoff_function: CutoffFunction
    compression: Compression
    weights: tuple[float, ...]

    @property
    def cutoff(self) -> float:
        """Distance up to which neighbors count, Å: without a cutoff function those whose Gaussians reach inside."""
        return self.basis_cutoff + (0.0 if self.cutoff_function else padding(self.sigma))

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Pairs of channels (element, n, l)."""
        return power_spectrum(len(self.numbers), self.n_max, self.l_max, self.compression)

    @property
    def n_features(self) -> int:
        """Number of features, over all central elements."""
        return len(self.numbers) * len(self.functions)

    def element_indices(self, numbers: IntArray) -> IntArray:
        """Return the element index of every atom; StructureError for an element that is not known."""
        return element_indices(self.numbers, numbers)

    def radial(self, distances: FloatArray) -> FloatArray:
        r"""Return the radial functions with all factors, (n_points, n_max * (l_max + 1)), n before l.

        The power spectrum is :math:`\pi\sqrt{8/(2l+1)} \sum_m c_{nlm} c_{n'lm}^*` with orthonormal spherical
        harmonics; those of the loops have :math:`Y_{00} = 1`, so that every density gets the square root of the factor
        over :math:`4\pi`.
        """
        values = radial_functions(
            distances, self.basis, self.n_max, self.l_max, self.basis_cutoff, self.sigma
        ) * np.sqrt(np.sqrt(8.0 / (2.0 * np.arange(self.l_max + 1) + 1.0)) / 4.0)
        if self.cutoff_function == "cosine":
            values = values * np.cos(0.5 * np.pi * distances / self.basis_cutoff)[:, None, None] ** 2
        return np.asarray(values.reshape(len(distances), -1))


class SoapRows(AceRows):
    """Features of SOAP and their derivatives."""

    parameters: SoapParameters  # type: ignore[assignment]  # what the loops ask of it is the same

    def __init__(self, parameters: SoapParameters) -> None:
        super().__init__(parameters)  # type: ignore[arg-type]

    def _make_plan(self) -> tuple[RowPlan, RowCounts]:
        p = self.parameters
        rows = {(ANY, n, l): n * (p.l_max + 1) + l for n in range(p.n_max) for l in range(p.l_max + 1)}
        table = make_table(p.radial, p.cutoff)
        own = p.radial(np.zeros(1))[0]
        return make_spline_row_plan(p.functions, len(p.numbers), rows, table, p.cutoff, np.array(p.weights), own)
