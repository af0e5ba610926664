"""Does a file give what the potential gives? Compared on structures of every kind before it gets its name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.exceptions import ExportError
from linmlp.export.yace_evaluator import YaceEvaluator
from linmlp.export.yace_file import YaceFile
from linmlp.potentials import Prediction
from linmlp.units import FloatArray, voigt_from_matrix

EXACT_LIMIT = 1e-8
"""Largest deviation of the file's own formulas from ours: rounding, of large coefficients that nearly cancel."""

TABLE_LIMIT = 1e-3
"""Largest deviation of ML-PACE's tables that is put up with; that of the default bins is below 1e-6."""


@dataclass(frozen=True)
class Deviations:
    """Largest deviations over all structures, over the largest value in each structure.

    Energies are those of atoms above separate ones; forces and stress by component.
    """

    energies: float
    forces: float
    stress: float

    def __str__(self) -> str:
        return f"energies {self.energies:.0e}, forces {self.forces:.0e}, stress {self.stress:.0e}"


def verify(
    content: YaceFile, parameters: AceParameters, e0: FloatArray, predict: Callable[[Atoms], Prediction]
) -> Deviations:
    """Return how far ML-PACE with this file deviates from the potential, because of its tables alone.

    Parameters
    ----------
    content : YaceFile
        What was written.
    parameters : AceParameters
        Of the potential.
    e0 : ndarray of shape (n_elements,)
        Energies of separate atoms, eV.
    predict : callable
        Gives the prediction of the potential without baselines.

    Returns
    -------
    Deviations
        Of energies, forces and stress.

    Raises
    ------
    ExportError
        If the file means anything else than the potential, or its tables are too coarse.
    """
    structures = list(_structures(content.elements, parameters))
    expected = [predict(atoms) for atoms in structures]
    exact, tables = YaceEvaluator(content, tables=False), YaceEvaluator(content)
    lonely = [Atoms(symbol) for symbol in content.elements]
    if not all(tables(atom).energies[0] == e == predict(atom).energy for atom, e in zip(lonely, e0, strict=True)):
        raise ExportError("a separate atom would not have its reference energy; nothing was written")
    _check(_compare(exact, structures, expected, content.e0), EXACT_LIMIT, "what stands in the file")
    found = _compare(tables, structures, expected, content.e0)
    _check(found, TABLE_LIMIT, f"the file with tables in bins of {content.spline_bin:g} Å (give a smaller spline_bin)")
    return found


def _check(found: Deviations, limit: float, what: str) -> None:
    if not max(found.energies, found.forces, found.stress) <= limit:
        raise ExportError(f"{what} deviates from the potential by more than {limit:.0e}: {found}; nothing was written")


def _compare(
    evaluator: YaceEvaluator, structures: list[Atoms], expected: list[Prediction], e0: FloatArray
) -> Deviations:
    of_structures = []
    for atoms, ours in zip(structures, expected, strict=True):
        theirs = evaluator(atoms)
        lonely = e0[[evaluator.content.elements.index(symbol) for symbol in atoms.symbols]]
        scale = float(np.abs(ours.energies - lonely).max()) or 1.0
        forces = max(float(np.abs(ours.forces).max()), 1e-3 * scale)  # Å: forces may vanish by symmetry
        gradient = ours.atom_strain_gradient.sum(axis=0)
        difference = voigt_from_matrix(theirs.strain_gradient) - gradient
        of_structures.append(
            [
                np.abs(theirs.energies - ours.energies).max() / scale,
                np.abs(theirs.forces - ours.forces).max() / forces,
                np.abs(difference).max() / max(float(np.abs(gradient).max()), 1e-3 * scale),
            ]
        )
    return Deviations(*np.max(of_structures, axis=0).tolist())


def _structures(elements: tuple[str, ...], parameters: AceParameters) -> Iterator[Atoms]:
    """Yield clusters, a slab, a cell smaller than the cutoff, and dimers of every pair."""
    rng = np.random.default_rng(0)
    cutoff = parameters.cutoff
    near = float(np.max(parameters.inner)) if np.max(parameters.inner) > 0 else 0.4 * cutoff
    for _ in range(3):
        yield Atoms(_symbols(rng, elements, 10), _scatter(rng, 10, 0.8 * near, 0.9 * cutoff))
    side = 1.6 * near * np.eye(3) * [2, 2, 1]
    sites = np.array([[x, y, z] for x in range(2) for y in range(2) for z in range(2)]) / [2, 2, 1.6]
    slab = Atoms(_symbols(rng, elements, 8), cell=side, pbc=(True, True, False), scaled_positions=sites)
    slab.positions += 0.1 * near * rng.normal(size=(8, 3))
    yield slab
    for symbol in elements:
        others = _symbols(rng, elements, 1)
        cell = 1.5 * near * (np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) + 0.1 * rng.normal(size=(3, 3)))
        yield Atoms([symbol, *others], scaled_positions=[[0, 0, 0], [0.3, 0.25, 0.2]], cell=cell, pbc=True)
    for a, first in enumerate(elements):
        for b, second in enumerate(elements[a:], a):
            start = max(0.5 * (parameters.inner - parameters.inner_width)[a, b], 0.1 * cutoff)
            for distance in rng.uniform(start, cutoff + 0.1, 12):
                direction = rng.normal(size=3)
                yield Atoms([first, second], [[0, 0, 0], distance * direction / np.linalg.norm(direction)])


def _symbols(rng: np.random.Generator, elements: tuple[str, ...], n: int) -> list[str]:
    return [str(symbol) for symbol in rng.permutation(np.resize(np.array(elements), max(n, len(elements))))[:n]]


def _scatter(rng: np.random.Generator, n: int, distance: float, radius: float) -> FloatArray:
    """Return points in a ball that keep a distance, which is lowered until they fit."""
    while True:
        points: list[FloatArray] = []
        for point in radius * rng.uniform(-1, 1, (60 * n, 3)):
            if len(points) < n and all(np.linalg.norm(point - other) > distance for other in points):
                points.append(point)
        if len(points) == n:
            return np.array(points)
        distance *= 0.9
