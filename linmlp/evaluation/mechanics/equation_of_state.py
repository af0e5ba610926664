r"""Energy of a crystal against its volume, fitted by the equation of Birch and Murnaghan.

Of third order it is a cubic polynomial of :math:`x = V^{-2/3}` [1]_, so that the fit is a linear one, without a start
or iterations; equilibrium, bulk modulus and its derivative follow from derivatives of the polynomial.

References
----------
.. [1] F. Birch, "Finite elastic strain of cubic crystals", Phys. Rev. 71, 809 (1947).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from ase import Atoms
from numpy.polynomial import Polynomial

from linmlp.evaluation.mechanics.crystal import FORCE, STEPS, Model, crystal, relax
from linmlp.evaluation.mechanics.differences import Difference, as_dict, compare, is_calculator, table
from linmlp.exceptions import LabelError, SettingsError
from linmlp.structures import read_labels
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray

Relaxation = Literal["none", "positions", "shape"]

UNITS = {"volume": "Å³/atom", "energy": "eV/atom", "bulk_modulus": "GPa", "bulk_modulus_derivative": ""}
"""Units of what a reference may name."""

LEAST_POINTS = 5
"""Four coefficients and a residual."""


@dataclass(frozen=True)
class EquationOfState:
    """Energies over volumes and the curve through them.

    Parameters
    ----------
    volumes : ndarray of shape (n_points,)
        Ascending, Å³ per atom.
    energies : ndarray of shape (n_points,)
        eV per atom.
    volume, energy : float
        Of the minimum of the curve, Å³ and eV per atom.
    bulk_modulus : float
        At the minimum, GPa.
    bulk_modulus_derivative : float
        By pressure, at the minimum.
    residual : float
        Root mean square of what the curve misses, meV per atom.
    relaxed : {"none", "positions", "shape"}
        What was relaxed at every volume.
    reference : EquationOfState or None
        The curve of the reference, if it is one.
    differences : tuple of Difference
        Against the reference, where one was given.
    """

    volumes: FloatArray
    energies: FloatArray
    volume: float
    energy: float
    bulk_modulus: float
    bulk_modulus_derivative: float
    residual: float
    relaxed: Relaxation = "none"
    reference: EquationOfState | None = None
    differences: tuple[Difference, ...] = ()

    def values(self) -> dict[str, float]:
        """Return what a reference may name.

        Returns
        -------
        dict of str to float
            volume, energy, bulk_modulus, bulk_modulus_derivative.
        """
        return {name: float(getattr(self, name)) for name in UNITS}

    def curve(self, volumes: FloatArray) -> FloatArray:
        """Return the fitted energies.

        Parameters
        ----------
        volumes : ndarray of shape (n,)
            Å³ per atom.

        Returns
        -------
        ndarray of shape (n,)
            eV per atom.
        """
        return np.asarray(_fit(self.volumes, self.energies)(np.asarray(volumes, dtype=float) ** (-2.0 / 3.0)))

    def __str__(self) -> str:
        relaxed = {"none": "ions and shape fixed", "positions": "ions relaxed", "shape": "ions and shape relaxed"}
        told = (
            f"equation of state (Birch-Murnaghan, {len(self.volumes)} volumes from {self.volumes[0]:.2f} to "
            f"{self.volumes[-1]:.2f} Å³/atom, {relaxed[self.relaxed]}):\n"
            f"volume {self.volume:.4f} Å³/atom, energy {self.energy:.5f} eV/atom, bulk modulus "
            f"{self.bulk_modulus:.2f} GPa, its derivative {self.bulk_modulus_derivative:.2f}; "
            f"residual {self.residual:.4f} meV/atom"
        )
        return "\n".join(part for part in (told, table(self.differences)) if part)

    def to_dict(self) -> dict[str, Any]:
        """Return everything.

        Returns
        -------
        dict
            Plain JSON types.
        """
        return as_dict(self) | {"differences": [difference.to_dict() for difference in self.differences]}


def equation_of_state(
    model: Model,
    atoms: Atoms,
    reference: Any = None,
    relax_cell: bool = True,
    relaxed: Relaxation = "positions",
    volume_range: tuple[float, float] = (0.92, 1.08),
    n_points: int = 13,
    max_force: float = 1e-3,
    max_steps: int = STEPS,
) -> EquationOfState:
    """Return energies of a crystal over volumes, and the equation of Birch and Murnaghan fitted to them.

    Parameters
    ----------
    model : LinearPotential or ASE calculator
        Potential.
    atoms : ase.Atoms
        Crystal.
    reference : mapping, EquationOfState, sequence of ase.Atoms, LinearPotential or ASE calculator, optional
        What to compare with: numbers by name (volume, energy, bulk_modulus, bulk_modulus_derivative); labelled
        structures at several volumes; or what computes the same curve.
    relax_cell : bool, default=True
        Whether the cell is relaxed first, so that the volumes lie around the minimum of the potential.
    relaxed : {"none", "positions", "shape"}, default="positions"
        What is relaxed at every volume; "shape" takes positions, too.
    volume_range : tuple of float, default=(0.92, 1.08)
        Smallest and largest volume in units of that of the (relaxed) crystal.
    n_points : int, default=13
        Volumes, equally spaced; 5 or more.
    max_force : float, default=1e-3
        Largest force that a relaxation leaves, eV/Å.
    max_steps : int, default=500
        Steps of a relaxation.

    Returns
    -------
    EquationOfState
        Table by ``str``.

    Raises
    ------
    StructureError
        If the structure is not periodic, holds elements that the potential lacks, or a relaxation fails.
    SettingsError
        If the volumes hold no minimum, or a setting cannot be used.
    """
    low, high = volume_range
    if n_points < LEAST_POINTS or not 0.0 < low < high or relaxed not in ("none", "positions", "shape"):
        raise SettingsError(
            f"n_points={n_points}, volume_range={volume_range}, relaxed={relaxed!r}; give {LEAST_POINTS} points or "
            "more, an ascending range above 0, and one of none, positions, shape"
        )
    start = crystal(model, atoms)
    if relax_cell:
        relax(start, cell=True, max_force=min(max_force, FORCE), max_steps=max_steps, name="the crystal with its cell")
    volumes, energies = [], []
    for ratio in np.linspace(low, high, n_points):
        scaled = start.copy()
        scaled.set_cell(start.cell.array * np.cbrt(ratio), scale_atoms=True)
        scaled.calc = start.calc
        if relaxed != "none":
            shape = relaxed == "shape"
            relax(scaled, shape, shape, max_force, max_steps, f"the crystal at {ratio:.3f} of its volume")
        volumes.append(scaled.get_volume() / len(scaled))
        energies.append(float(scaled.get_potential_energy()) / len(scaled))
    result = fit_equation_of_state(volumes, energies)
    other = _reference_curve(
        reference,
        lambda computing: equation_of_state(
            computing, atoms, None, relax_cell, relaxed, volume_range, n_points, max_force, max_steps
        ),
    )
    if isinstance(other, EquationOfState):
        return replace(
            result, relaxed=relaxed, reference=other, differences=compare(result.values(), other.values(), UNITS)
        )
    return replace(result, relaxed=relaxed, differences=compare(result.values(), other, UNITS))


def fit_equation_of_state(volumes: Sequence[float], energies: Sequence[float]) -> EquationOfState:
    """Return the equation of Birch and Murnaghan through given points.

    Parameters
    ----------
    volumes : sequence of float
        Å³ per atom, in any order.
    energies : sequence of float
        eV per atom.

    Returns
    -------
    EquationOfState
        Linear least squares, all points alike.

    Raises
    ------
    SettingsError
        If there are fewer than five volumes, a number is not finite, or the curve has no minimum inside.
    """
    v, e = np.asarray(volumes, dtype=float), np.asarray(energies, dtype=float)
    if v.shape != e.shape or v.ndim != 1 or len(np.unique(v)) < LEAST_POINTS:
        raise SettingsError(f"{len(np.unique(v))} volumes and {e.size} energies; give {LEAST_POINTS} of both or more")
    if not (np.isfinite(v).all() and np.isfinite(e).all() and (v > 0.0).all()):
        raise SettingsError("volumes must be above 0, and energies finite")
    order = np.argsort(v)
    v, e = v[order], e[order]
    fit = _fit(v, e)
    x, curvature = _minimum(fit, v, e)
    volume = x**-1.5
    # Derivatives of x = V^(-2/3) by V, then of E(x(V)).
    x1, x2 = -2.0 / 3.0 * volume ** (-5.0 / 3.0), 10.0 / 9.0 * volume ** (-8.0 / 3.0)
    third = float(fit.deriv(3)(x))
    second_v = curvature * x1**2
    third_v = third * x1**3 + 3.0 * curvature * x1 * x2
    residual = 1e3 * float(np.sqrt(np.mean((fit(v ** (-2.0 / 3.0)) - e) ** 2)))
    return EquationOfState(
        v,
        e,
        float(volume),
        float(fit(x)),
        float(volume * second_v) * EV_PER_A3_IN_GPA,
        float(-1.0 - volume * third_v / second_v),
        residual,
    )


def _fit(volumes: FloatArray, energies: FloatArray) -> Polynomial:
    return Polynomial.fit(volumes ** (-2.0 / 3.0), energies, 3)


def _minimum(fit: Polynomial, volumes: FloatArray, energies: FloatArray) -> tuple[float, float]:
    """Return where the curve has its minimum inside the volumes, and its curvature there."""
    roots = np.asarray(fit.deriv().roots(), dtype=complex)
    low, high = volumes[-1] ** (-2.0 / 3.0), volumes[0] ** (-2.0 / 3.0)
    for root in roots[np.abs(roots.imag) < 1e-9].real:
        curvature = float(fit.deriv(2)(root))
        if low <= root <= high and curvature > 0.0:
            return float(root), curvature
    lowest = volumes[int(np.argmin(energies))]
    raise SettingsError(
        f"the energy has no minimum between {volumes[0]:.3f} and {volumes[-1]:.3f} Å³/atom: it is lowest at "
        f"{lowest:.3f}; give a range on both sides of the minimum, or relax_cell=True"
    )


def _reference_curve(reference: Any, compute: Any) -> Any:
    """Return the reference as a curve or as numbers by name."""
    if reference is None:
        return {}
    if isinstance(reference, EquationOfState | Mapping):
        return reference
    if is_calculator(reference):
        return compute(reference)
    if not isinstance(reference, Sequence) or isinstance(reference, str):
        raise SettingsError(
            f"reference is a {type(reference).__name__}; give numbers by name, structures or a calculator"
        )
    labels = read_labels(reference)
    if any(item.energy is None or item.volume is None for item in labels):
        raise LabelError("reference structures of an equation of state need an energy and a periodic cell each")
    return fit_equation_of_state(
        [float(item.volume or 0.0) / item.n_atoms for item in labels],
        [float(item.energy or 0.0) / item.n_atoms for item in labels],
    )
