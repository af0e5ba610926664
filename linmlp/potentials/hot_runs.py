"""Many small structures in hot molecular dynamics at once, until an atom falls below an energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms, units

from linmlp.descriptors import Descriptor, Evaluator
from linmlp.neighbors import Pairs, VerletList
from linmlp.structures import Baseline, CalculatorBaseline
from linmlp.units import FloatArray, IntArray

TIMESTEP = 2.0
"""fs for silicon; it goes with the square root of the lightest mass."""

FRICTION = 0.02
"""Of the Langevin thermostat, 1/fs."""

LARGEST_FORCE = 100.0
"""Components beyond it are cut, eV/Å: what falls shall be seen falling, not fly away."""

SKIN = 0.7
"""Of the neighbor lists, Å."""

SILICON_MASS = 28.085


class Crowd:
    """Structures whose atoms are moved and evaluated together.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        At least one; they do not see each other.
    cutoff : float
        Å.
    """

    def __init__(self, structures: Sequence[Atoms], cutoff: float) -> None:
        self.structures = [structure.copy() for structure in structures]
        self.first = np.concatenate([[0], np.cumsum([len(structure) for structure in structures])])
        self.owner = np.repeat(np.arange(len(structures)), np.diff(self.first))
        self.numbers = np.concatenate([structure.numbers for structure in structures]).astype(np.int64)
        self.positions = np.concatenate([structure.positions for structure in structures])
        self.masses = np.concatenate([structure.get_masses() for structure in structures])
        self.cutoff = cutoff
        self._lists = [VerletList(cutoff, SKIN) for _ in structures]
        self._searches = -1

    def pairs(self) -> Pairs:
        """Return the pairs of all structures at their present positions."""
        found = []
        for k, (structure, neighbors) in enumerate(zip(self.structures, self._lists, strict=True)):
            structure.positions = self.positions[self.first[k] : self.first[k + 1]]
            found.append(neighbors.pairs(structure))
        searches = sum(neighbors.n_searches for neighbors in self._lists)
        if searches != self._searches:  # else the arrays stay the same objects, which evaluators know again
            self._searches = searches
            before = np.concatenate([[0], np.cumsum([len(pairs) for pairs in found])])
            starts = [pairs.first[:-1] + n for pairs, n in zip(found, before[:-1], strict=True)]
            self._first = np.concatenate([*starts, before[-1:]]).astype(np.int64)
            offsets = zip(found, self.first[:-1], strict=True)
            self._j = np.concatenate([pairs.j + offset for pairs, offset in offsets]).astype(np.int64)
            self._shift = np.concatenate([pairs.shift for pairs in found])
        return Pairs(self.numbers, self.positions, self._first, self._j, self._shift, self.cutoff, None)


class AtomModel:
    """Energies of atoms without reference energies, and forces, for given coefficients.

    Parameters
    ----------
    descriptor : Descriptor
        Fitted.
    baselines : sequence of Baseline
        Those that are no ASE calculators are added.
    coef : ndarray of shape (n_features,)
        Coefficients, eV.
    """

    def __init__(self, descriptor: Descriptor, baselines: Sequence[Baseline], coef: FloatArray) -> None:
        self.descriptor = descriptor
        self.baselines = [baseline for baseline in baselines if not isinstance(baseline, CalculatorBaseline)]
        self.cutoff = max([descriptor.cutoff_, *(baseline.cutoff for baseline in self.baselines)])
        self._evaluator: Evaluator = descriptor.evaluator(coef)

    def baseline_energies(self, pairs: Pairs) -> FloatArray:
        """Return the energies of the atoms (n_atoms,) that the baselines give, eV."""
        return np.asarray(sum((b.compute(pairs).energies for b in self.baselines), np.zeros(len(pairs.numbers))))

    def __call__(self, pairs: Pairs) -> tuple[FloatArray, FloatArray]:
        """Return energies (n_atoms,) and forces (n_atoms, 3)."""
        energies, forces, _ = self._evaluator.compute(pairs)
        for baseline in self.baselines:
            more = baseline.compute(pairs)
            energies, forces = energies + more.energies, forces + more.forces
        return energies, forces


class Fallen(NamedTuple):
    """Atoms that fell.

    Attributes
    ----------
    features : ndarray of shape (n, n_features)
        Of these atoms.
    baseline : ndarray of shape (n,)
        Their energies from baselines, eV.
    numbers : ndarray of int, shape (n,)
        Atomic numbers.
    n_structures : int
        Structures in which an atom fell.
    """

    features: FloatArray
    baseline: FloatArray
    numbers: IntArray
    n_structures: int


def run_hot(
    model: AtomModel, crowd: Crowd, lowest: FloatArray, kT: FloatArray, n_steps: int, rng: np.random.Generator
) -> Fallen:
    """Run Langevin dynamics and return the atoms whose energy fell below what it may be.

    Parameters
    ----------
    model : AtomModel
        Energies and forces.
    crowd : Crowd
        Start.
    lowest : ndarray of shape (n_atoms,)
        Lowest energy that an atom may have, eV.
    kT : ndarray of shape (n_structures,)
        Temperatures, eV.
    n_steps : int
        Steps.
    rng : numpy.random.Generator
        Noise.

    Returns
    -------
    Fallen
        Atoms of the first frame of every structure in which one fell; the structure stops there.
    """
    masses, heat = crowd.masses[:, None], kT[crowd.owner][:, None]
    step = TIMESTEP * units.fs * float(np.sqrt(crowd.masses.min() / SILICON_MASS))
    kept = float(np.exp(-FRICTION / units.fs * step))
    noise = np.sqrt((1.0 - kept**2) * heat / masses)
    velocities = np.sqrt(heat / masses) * rng.normal(size=crowd.positions.shape)
    moving = np.ones(len(crowd.structures), dtype=bool)
    found: list[tuple[FloatArray, FloatArray, IntArray]] = []
    forces = np.clip(model(crowd.pairs())[1], -LARGEST_FORCE, LARGEST_FORCE)
    for _ in range(n_steps):
        velocities += 0.5 * step * forces / masses
        crowd.positions = crowd.positions + 0.5 * step * velocities
        velocities = kept * velocities + noise * rng.normal(size=velocities.shape)
        velocities[~moving[crowd.owner]] = 0.0
        crowd.positions = crowd.positions + 0.5 * step * velocities
        pairs = crowd.pairs()
        energies, forces = model(pairs)
        fell = moving[crowd.owner] & ~(energies >= lowest)
        if fell.any():
            baseline = model.baseline_energies(pairs)
            found.append((model.descriptor.compute_features(pairs)[fell], baseline[fell], crowd.numbers[fell]))
            moving[crowd.owner[fell]] = False
            if not moving.any():
                break
        forces = np.where(moving[crowd.owner][:, None], np.clip(forces, -LARGEST_FORCE, LARGEST_FORCE), 0.0)
        velocities += 0.5 * step * forces / masses
    if not found:
        n_features = model.descriptor.n_features_out_
        return Fallen(np.empty((0, n_features)), np.empty(0), np.empty(0, dtype=np.int64), 0)
    features, baseline, numbers = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Fallen(features, baseline, numbers, int(np.sum(~moving)))
