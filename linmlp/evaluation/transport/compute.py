r"""Diffusion coefficients and ionic conductivity of trajectories.

Tracers: :math:`\langle |\Delta r|^2 \rangle = 6 D t`, about the center of mass of all atoms. Ions that move
independently of each other conduct by Nernst and Einstein

.. math:: \sigma_\mathrm{NE} = \frac{e^2}{V k_B T} \sum_s N_s q_s^2 D_s

and all together, by the Einstein relation of the total dipole :math:`M = \sum_i q_i r_i`,

.. math:: \sigma = \frac{e^2}{6 V k_B T} \frac{d}{dt} \langle |M(t) - M(0)|^2 \rangle

Charges sum to zero, so that this does not depend on the frame of reference. Formal charges are right here, whatever the
electrons do between sites, as long as ions keep them from cell to cell [1]_. The Haven ratio is
:math:`\sigma_\mathrm{NE}/\sigma`. In a cubic periodic cell of edge L hydrodynamics slow tracers down by [2]_

.. math:: D_\infty = D + \frac{2.837297\, k_B T}{6 \pi \eta L}

References
----------
.. [1] F. Grasselli and S. Baroni, "Topological quantization and gauge invariance of charge transport in liquid
   insulators", Nat. Phys. 15, 967 (2019).
.. [2] I.-C. Yeh and G. Hummer, "System-size dependence of diffusion coefficients and viscosities from molecular
   dynamics simulations with periodic boundary conditions", J. Phys. Chem. B 108, 15873 (2004).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.symbols import Symbols
from ase.units import kB

from linmlp.evaluation.md.statistics import Estimate
from linmlp.evaluation.transport.displacements import LONGEST_LAG, Displacements
from linmlp.evaluation.transport.motion import Motion, read_motion
from linmlp.evaluation.transport.regression import Line, fit_line
from linmlp.evaluation.transport.results import Conductivity, Diffusion, Transport
from linmlp.evaluation.transport.start import find_start
from linmlp.exceptions import SettingsError, StructureError
from linmlp.units import (
    A2_PER_PS_IN_CM2_PER_S,
    E2_PER_EV_A_PS_IN_S_PER_CM,
    EV_PS_PER_A3_IN_MPA_S,
    FloatArray,
)

CUBIC_LATTICE_SUM = 2.837297
"""Of the Ewald sum of a simple cubic lattice (Yeh and Hummer)."""

NEUTRAL = 1e-6
"""Net charge that counts as none, e."""

NO_MOTION = 1e-10
"""Part of the independent displacement of charges below which the collective one is rounding."""

Frames = str | Path | Iterable[Atoms]


def compute_transport(
    trajectory: Frames,
    *more: Frames,
    timestep: float | None = None,
    every: int = 1,
    temperature: float | None = None,
    charges: Mapping[str, float] | None = None,
    mobile: Sequence[str] | None = None,
    start: float | None = None,
    skip: float = 0.0,
    unwrapped: bool | None = None,
    viscosity: float | None = None,
    random_state: int = 0,
) -> Transport:
    """Return diffusion coefficients and ionic conductivity of trajectories at one temperature.

    Parameters
    ----------
    trajectory, *more : path-like or iterable of ase.Atoms
        Frames at equal times, or files of such that ASE reads; independent runs of the same cell are put together.
        Positions may be wrapped into the cell; momenta serve for nothing but the temperature.
    timestep : float
        Time step of the MD, fs.
    every : int, default=1
        Steps from one frame to the next.
    temperature : float, optional
        K; by default from the momenta in the trajectory.
    charges : mapping of str to float, optional
        Formal charge of every element, e, for the conductivity.
    mobile : sequence of str, optional
        Elements whose diffusion is looked at; all by default.
    start : float, optional
        Time window from which on displacements count as linear, ps; looked for by default (`find_start`).
    skip : float, default=0.0
        Time to leave out at the beginning of each trajectory, ps.
    unwrapped : bool, optional
        Whether positions are continuous as they are; looked for by default.
    viscosity : float, optional
        mPa s; adds the correction of Yeh and Hummer for the size of a cubic cell to the tracer coefficients.
    random_state : int, default=0
        Seed of the sampling.

    Returns
    -------
    Transport
        A readable statement by ``str``, plain numbers by ``to_dict``.

    Raises
    ------
    InputError
        If a trajectory cannot be read or used, a setting is missing or makes no sense, the charges do not fit, or
        kinisi is not installed.
    """
    if timestep is None:
        raise SettingsError(
            "trajectories do not tell the time between their frames; give timestep= (fs) and every= (steps)"
        )
    if not (timestep > 0.0 and every >= 1):
        raise SettingsError(f"timestep={timestep} fs, every={every} steps; both must be above 0")
    interval = timestep * every / 1000.0
    motions = [read_motion(frames, interval, unwrapped, round(skip / interval)) for frames in (trajectory, *more)]
    return transport_of(motions, temperature, charges, mobile, start, viscosity, random_state)


def transport_of(
    motions: Sequence[Motion],
    temperature: float | None = None,
    charges: Mapping[str, float] | None = None,
    mobile: Sequence[str] | None = None,
    start: float | None = None,
    viscosity: float | None = None,
    random_state: int = 0,
) -> Transport:
    """Return diffusion coefficients and ionic conductivity of motions, as `compute_transport` does of trajectories.

    Parameters
    ----------
    motions : sequence of Motion
        Independent runs of the same cell.
    temperature, charges, mobile, start, viscosity, random_state
        As there.

    Returns
    -------
    Transport
        At one temperature.
    """
    first = motions[0]
    _check_same(motions)
    elements = mobile_elements(first.symbols, mobile)
    charges = None if charges is None else check_charges(first.symbols, charges)
    found_temperature = _temperature(motions, temperature)
    tracers = {e: Displacements([m.positions[:, m.symbols == e] for m in motions]) for e in sorted(set(first.symbols))}
    begin, notes = _start(motions, [tracers[e] for e in elements], start)
    needed = [e for e in tracers if e in elements or (charges is not None and charges[e] != 0.0)]
    lines = {e: fit_line(tracers[e], begin, normal=False, random_state=random_state) for e in needed}
    diffusion = {
        e: _diffusion(e, lines[e], first, _correction(first.cell, found_temperature.value, viscosity)) for e in needed
    }
    conductivity = None
    if charges is not None:
        conductivity = _conductivity(motions, charges, tracers, lines, begin, found_temperature.value, random_state)
    return Transport(
        formula=Symbols.fromsymbols(list(first.symbols)).get_chemical_formula(),
        n_atoms=len(first.symbols),
        cell=first.cell,
        temperature=found_temperature,
        is_measured=temperature is None,
        n_runs=len(motions),
        time=float(sum(m.time for m in motions)),
        interval=first.interval,
        start=begin * first.interval,
        diffusion=diffusion,
        conductivity=conductivity,
        notes=notes,
    )


def _check_same(motions: Sequence[Motion]) -> None:
    """Raise unless all runs are of the same atoms in the same cell."""
    first = motions[0]
    for index, motion in enumerate(motions[1:], 1):
        if not np.array_equal(motion.symbols, first.symbols):
            raise StructureError(f"trajectory {index} holds other atoms than the first one; give runs of the same cell")
        if not np.allclose(motion.cell, first.cell, rtol=0.0, atol=1e-6 * np.abs(first.cell).max()):
            raise StructureError(f"trajectory {index} has another cell than the first one; give runs of the same cell")


def mobile_elements(symbols: Sequence[str] | np.ndarray, mobile: Sequence[str] | None) -> list[str]:
    """Return the elements that are asked for.

    Parameters
    ----------
    symbols : sequence of str, (n_atoms,)
        Elements of the atoms.
    mobile : sequence of str or None
        What is asked for; None means all.

    Returns
    -------
    list of str
        Sorted.

    Raises
    ------
    SettingsError
        If one is absent.
    """
    present = sorted({str(symbol) for symbol in symbols})
    if mobile is None:
        return present
    absent = sorted(set(mobile) - set(present))
    if absent or not mobile:
        raise SettingsError(
            f"mobile={list(mobile)}, but the cell holds {', '.join(present)}; name one or more of these"
        )
    return [element for element in present if element in mobile]


def check_charges(symbols: Sequence[str] | np.ndarray, charges: Mapping[str, float]) -> dict[str, float]:
    """Return the charges of the elements that are there, if they fit.

    Parameters
    ----------
    symbols : sequence of str, (n_atoms,)
        Elements of the atoms.
    charges : mapping of str to float
        Of each element, e.

    Returns
    -------
    dict of str to float
        Sorted by element.

    Raises
    ------
    SettingsError
        If one is missing or too many, or they do not sum to zero.
    """
    present = sorted({str(symbol) for symbol in symbols})
    missing, strange = sorted(set(present) - set(charges)), sorted(set(charges) - set(present))
    if missing or strange:
        told = (
            f"no charge for {', '.join(missing)}" if missing else f"a charge for {', '.join(strange)}, which is absent"
        )
        raise SettingsError(f"charges={dict(charges)}: {told}; give one for each of {', '.join(present)}")
    counts = {element: int(np.sum(np.asarray(symbols) == element)) for element in present}
    net = sum(counts[element] * charges[element] for element in present)
    if not abs(net) <= NEUTRAL:
        cell = " ".join(f"{element}{counts[element]}" for element in present)
        raise SettingsError(
            f"charges={dict(charges)} give the cell {cell} a net charge of {net:+g} e; they must sum to zero"
        )
    if not any(charges.values()):
        raise SettingsError(f"charges={dict(charges)}: nothing is charged, so nothing conducts")
    return {element: float(charges[element]) for element in present}


def _temperature(motions: Sequence[Motion], given: float | None) -> Estimate:
    """Return the temperature that was given, or the mean over the runs."""
    if given is not None:
        if not given > 0.0:
            raise SettingsError(f"temperature={given} K; give one above 0 K")
        return Estimate(float(given), 0.0)
    measured = [m.temperature for m in motions if m.temperature is not None]
    if len(measured) < len(motions):
        raise SettingsError("the trajectory has no velocities to take the temperature from; give temperature= in K")
    times = np.array([m.time for m in motions])
    weights = times / times.sum()
    value = float(weights @ [t.value for t in measured])
    return Estimate(value, float(np.sqrt(weights**2 @ [t.error**2 for t in measured])))


def _start(
    motions: Sequence[Motion], tracers: Sequence[Displacements], start: float | None
) -> tuple[int, tuple[str, ...]]:
    """Return the first window in steps, and what has to be said of it."""
    interval, shortest = motions[0].interval, tracers[0].shortest
    if start is None:
        begin, found = find_start(tracers)
        told = f"displacements are not linear in time yet at {begin * interval:.3g} ps; give longer runs"
        return begin, () if found else (told,)
    begin = max(round(start / interval), 1)
    if not start > 0.0 or begin + 2 > LONGEST_LAG * shortest:
        raise SettingsError(
            f"start={start} ps; give more than 0 and less than a quarter of the shortest run, which has "
            f"{shortest * interval:.4g} ps"
        )
    return begin, ()


def _diffusion(element: str, line: Line, motion: Motion, correction: float | None) -> Diffusion:
    """Return the coefficient of an element."""
    unit = A2_PER_PS_IN_CM2_PER_S / (6.0 * motion.interval)
    coefficient = Estimate(*(unit * x for x in line.slope))
    return Diffusion(
        element=element,
        n_atoms=int(np.sum(motion.symbols == element)),
        coefficient=coefficient,
        upper=unit * float(np.quantile(line.slopes, 0.95)),
        corrected=None if correction is None else Estimate(coefficient.value + correction, coefficient.error),
        windows=np.asarray(line.lags * motion.interval, dtype=float),
        displacements=line.means,
        errors=line.errors,
        line=(line.slope.value / motion.interval, float(np.mean(line.offsets))),
    )


def _correction(cell: FloatArray, temperature: float, viscosity: float | None) -> float | None:
    """Return what a cubic cell takes off a tracer coefficient, cm²/s."""
    if viscosity is None:
        return None
    if not viscosity > 0.0:
        raise SettingsError(f"viscosity={viscosity} mPa s; give one above 0")
    length = float(np.linalg.norm(cell[0]))
    if not np.allclose(cell @ cell.T, length**2 * np.eye(3), rtol=0.0, atol=1e-3 * length**2):
        raise SettingsError(
            "the correction by the viscosity is for cubic cells, and this one is not; leave viscosity= out"
        )
    eta = viscosity / EV_PS_PER_A3_IN_MPA_S
    return float(CUBIC_LATTICE_SUM * kB * temperature / (6.0 * np.pi * eta * length)) * A2_PER_PS_IN_CM2_PER_S


def _conductivity(
    motions: Sequence[Motion],
    charges: Mapping[str, float],
    tracers: Mapping[str, Displacements],
    lines: Mapping[str, Line],
    begin: int,
    temperature: float,
    seed: int,
) -> Conductivity:
    """Return the conductivity from tracers and from all charges together."""
    first = motions[0]
    unit = E2_PER_EV_A_PS_IN_S_PER_CM / (6.0 * first.volume * kB * temperature * first.interval)
    weights = {e: charges[e] ** 2 * tracers[e].runs[0].shape[1] for e in lines if charges[e] != 0.0}
    independent = Estimate(
        unit * sum(w * lines[e].slope.value for e, w in weights.items()),
        unit * float(np.sqrt(sum((w * lines[e].slope.error) ** 2 for e, w in weights.items()))),
    )
    q = np.array([charges[s] for s in first.symbols])
    together = Displacements([np.einsum("i,tix->tx", q, m.positions)[:, None] for m in motions])
    apart = sum(w * tracers[e].mean(begin) for e, w in weights.items())
    if together.mean(begin) <= NO_MOTION * apart:
        together = Displacements([np.zeros_like(run) for run in together.runs])
    # The sum of the displacements of many ions is normal.
    line = fit_line(together, begin, normal=True, random_state=seed)
    collective = Estimate(*(unit * x for x in line.slope))
    ratio = _ratio(collective, independent)
    return Conductivity(
        charges=dict(charges),
        nernst_einstein=independent,
        collective=collective,
        upper=unit * float(np.quantile(line.slopes, 0.95)),
        ratio=ratio,
        windows=np.asarray(line.lags * first.interval, dtype=float),
        displacements=line.means,
        errors=line.errors,
        line=(line.slope.value / first.interval, float(np.mean(line.offsets))),
    )


def _ratio(a: Estimate, b: Estimate) -> Estimate | None:
    """Return a/b to first order in their errors, which are taken as independent; None where nothing moves."""
    if not b.value > 0.0:
        return None
    value = a.value / b.value
    return Estimate(value, float(np.hypot(a.error / b.value, value * b.error / b.value)))
