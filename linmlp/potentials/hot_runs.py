"""Many small structures in hot molecular dynamics at once, until an atom falls below an energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

from linmlp.descriptors import Descriptor, Evaluator
from linmlp.neighbors import Pairs, find_pairs
from linmlp.structures import Baseline, CalculatorBaseline
from linmlp.units import FloatArray, IntArray

TIMESTEP = 2.0
"""fs for silicon; it goes with the square root of the lightest mass."""

FRICTION = 0.003
"""Of the Langevin thermostat, 1/fs."""

LARGEST_FORCE = 100.0
"""Components beyond it are cut, eV/Å: what falls shall be seen falling, not fly away."""

SKIN = 1.4
"""Of the neighbor lists, Å: hot atoms move far in a step, and a longer list costs less than a search."""

HEATING = 2.0
"""A structure is too hot beyond so many times its temperature, on top of fluctuations."""

MEMORY = 50.0
"""Steps over which the energy of a structure is averaged."""

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
        self._found = [find_pairs(structure, cutoff + SKIN) for structure in self.structures]
        self._searched = self.positions
        self._join()

    def pairs(self) -> Pairs:
        """Return the pairs of all structures at their present positions, some beyond the cutoff among them."""
        moved = self.positions - self._searched
        far = np.einsum("ax,ax->a", moved, moved) > (0.5 * SKIN) ** 2
        if far.any():  # else the arrays stay the same objects, which evaluators know again
            self._searched = self._searched.copy()
            for k in np.unique(self.owner[far]):
                own = slice(self.first[k], self.first[k + 1])
                self.structures[k].positions = self._searched[own] = self.positions[own]
                self._found[k] = find_pairs(self.structures[k], self.cutoff + SKIN)
            self._join()
        return Pairs(self.numbers, self.positions, self._first, self._j, self._shift, self.cutoff, None)

    def current(self) -> list[Atoms]:
        """Return the structures at their present positions."""
        structures = [structure.copy() for structure in self.structures]
        for k, structure in enumerate(structures):
            structure.positions = self.positions[self.first[k] : self.first[k + 1]]
        return structures

    def _join(self) -> None:
        """Put the lists of all structures into one."""
        before = np.concatenate([[0], np.cumsum([len(pairs) for pairs in self._found])])
        starts = [pairs.first[:-1] + n for pairs, n in zip(self._found, before[:-1], strict=True)]
        self._first = np.concatenate([*starts, before[-1:]]).astype(np.int64)
        offsets = zip(self._found, self.first[:-1], strict=True)
        self._j = np.concatenate([pairs.j + offset for pairs, offset in offsets]).astype(np.int64)
        self._shift = np.concatenate([pairs.shift for pairs in self._found])


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
    """Atoms that went below a limit, when they did so first, and whole structures that ran hot.

    Attributes
    ----------
    features : ndarray of shape (n, n_features)
        Of these atoms; the means over all atoms of a structure.
    baseline : ndarray of shape (n,)
        Their energies from baselines, eV; means for structures.
    numbers : ndarray of int, shape (n,)
        Atomic numbers.
    ran_hot : ndarray of bool, shape (n,)
        Whether the structure heated up after that, which leaves no doubt.
    level : ndarray of shape (n,)
        Energy per atom that a structure had before it fell, eV; NaN for atoms.
    structures : frozenset of int
        Structures in which an atom fell, or which ran hot.
    """

    features: FloatArray
    baseline: FloatArray
    numbers: IntArray
    ran_hot: NDArray[np.bool_]
    level: FloatArray
    structures: frozenset[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def only(self, mask: NDArray[np.bool_]) -> Fallen:
        """Return some of them."""
        return Fallen(
            self.features[mask],
            self.baseline[mask],
            self.numbers[mask],
            self.ran_hot[mask],
            self.level[mask],
            self.structures,
        )


def run_hot(
    model: AtomModel, crowd: Crowd, lowest: FloatArray, kT: FloatArray, n_steps: int, rng: np.random.Generator
) -> Fallen:
    """Run Langevin dynamics and return the atoms whose energy fell below what it may be.

    An atom may go below and come back. Where its fall goes on, the energy that it gives heats the structure up, beyond
    `HEATING` temperatures and five standard deviations; then the structure stops.

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
        Of every structure those atoms that were below in the first frame in which any was, and the whole structure
        where it ran hot.
    """
    masses, heat = crowd.masses[:, None], kT[crowd.owner][:, None]
    step = TIMESTEP * units.fs * float(np.sqrt(crowd.masses.min() / SILICON_MASS))
    kept = float(np.exp(-FRICTION / units.fs * step))
    noise = np.sqrt((1.0 - kept**2) * heat / masses)
    velocities = np.sqrt(heat / masses) * rng.normal(size=crowd.positions.shape)
    moving = np.ones(len(crowd.structures), dtype=bool)
    sizes = np.bincount(crowd.owner)
    hottest = (HEATING + 5.0 * np.sqrt(2.0 / (3.0 * sizes))) * kT
    first: dict[int, tuple[FloatArray, FloatArray, IntArray]] = {}
    whole: dict[int, tuple[FloatArray, float, int, float]] = {}
    usual = level = np.full(len(sizes), np.nan)
    forces = np.clip(model(crowd.pairs())[1], -LARGEST_FORCE, LARGEST_FORCE)
    for _ in range(n_steps):
        velocities += 0.5 * step * forces / masses
        crowd.positions = crowd.positions + 0.5 * step * velocities
        velocities = kept * velocities + noise * rng.normal(size=velocities.shape)
        velocities[~moving[crowd.owner]] = 0.0
        crowd.positions = crowd.positions + 0.5 * step * velocities
        pairs = crowd.pairs()
        energies, forces = model(pairs)
        below = ~(energies >= lowest)
        low = np.bincount(crowd.owner[below], minlength=len(sizes)) > 0
        new = [int(k) for k in np.flatnonzero(low & moving) if int(k) not in first]
        if new:
            features, baseline = model.descriptor.compute_features(pairs), model.baseline_energies(pairs)
            for k in new:
                own = below & (crowd.owner == k)
                first[k] = (features[own], baseline[own], crowd.numbers[own])
        kinetic = np.bincount(crowd.owner, 0.5 * np.sum(masses * velocities**2, axis=1)) / (1.5 * sizes)
        mean = np.bincount(crowd.owner, energies) / sizes
        usual = np.where(np.isnan(usual), mean, usual + (mean - usual) / MEMORY)
        level = np.fmax(level, usual)
        hot = [int(k) for k in np.flatnonzero(moving & ~(kinetic <= hottest))]
        if hot:
            features, baseline = model.descriptor.compute_features(pairs), model.baseline_energies(pairs)
            for k in hot:
                own = crowd.owner == k
                told = features[own].mean(axis=0), float(baseline[own].mean())
                whole[k] = (*told, int(crowd.numbers[own][0]), float(level[k]))
            moving[hot] = False
        if not moving.any():
            break
        forces = np.where(moving[crowd.owner][:, None], np.clip(forces, -LARGEST_FORCE, LARGEST_FORCE), 0.0)
        velocities += 0.5 * step * forces / masses
    n = [len(atoms[1]) for atoms in first.values()]
    nobody = np.empty((0, model.descriptor.n_features_out_))
    return Fallen(
        np.concatenate([nobody, *(atoms[0] for atoms in first.values()), *(told[0][None] for told in whole.values())]),
        np.concatenate([*(atoms[1] for atoms in first.values()), [told[1] for told in whole.values()]]),
        np.concatenate([*(atoms[2] for atoms in first.values()), [told[2] for told in whole.values()]]).astype(
            np.int64
        ),
        np.concatenate([np.repeat([k in whole for k in first], n), np.ones(len(whole))]).astype(bool),
        np.concatenate([np.full(sum(n), np.nan), [told[3] for told in whole.values()]]),
        frozenset(first) | frozenset(whole),
    )
