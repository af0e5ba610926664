r"""Radial distribution functions of every pair of elements, averaged over frames.

.. math:: g_{ab}(r) = \frac{V \, n_{ab}(r)}{N_a (N_b - \delta_{ab}) \, \Delta V(r)}

with n the number of ordered pairs whose distance lies in a bin, and ΔV the exact volume of that spherical shell: atoms
at random give 1 at every distance, for any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.geometry import minkowski_reduce

from linmlp.evaluation.mechanics.differences import as_dict, plain
from linmlp.exceptions import SettingsError, StructureError
from linmlp.neighbors import find_pairs
from linmlp.units import FloatArray

DEFAULT_CUTOFF = 6.0
"""Å, or the shortest period of the frames, where that is less."""


@dataclass(frozen=True)
class PairDistribution:
    """One pair of elements.

    Parameters
    ----------
    elements : tuple of str
        Around an atom of the first one, atoms of the second.
    g : ndarray of shape (n_bins,)
        Distribution.
    errors : ndarray of shape (n_bins,)
        Standard errors from blocks of frames; NaN for a single block.
    neighbors : ndarray of shape (n_bins,)
        Mean number of atoms of the second element up to the outer edge of a bin, around one of the first.
    """

    elements: tuple[str, str]
    g: FloatArray
    errors: FloatArray
    neighbors: FloatArray

    @property
    def name(self) -> str:
        """Such as "Cl-Li"."""
        return "-".join(self.elements)


@dataclass(frozen=True)
class RadialDistribution:
    """All pairs of elements.

    Parameters
    ----------
    edges : ndarray of shape (n_bins + 1,)
        Of the bins, Å.
    pairs : tuple of PairDistribution
        Elements in alphabetical order.
    n_frames, n_blocks : int
        How many there were.
    reference : RadialDistribution or None
        What it is compared with.
    """

    edges: FloatArray
    pairs: tuple[PairDistribution, ...]
    n_frames: int
    n_blocks: int
    reference: RadialDistribution | None = None

    @property
    def centers(self) -> FloatArray:
        """Middles of the bins, shape (n_bins,), Å."""
        return (self.edges[1:] + self.edges[:-1]) / 2.0

    def deviation(self) -> dict[str, dict[str, float]]:
        """Return how far every pair is from the reference.

        Returns
        -------
        dict of str to dict
            By pair: largest and mean difference of g, the mean difference in per cent of the mean of the reference, and
            the mean square difference in units of its variance (NaN without errors; 1 if only noise).
        """
        if self.reference is None:
            return {}
        found = {}
        for pair, other in zip(self.pairs, self.reference.pairs, strict=True):
            off = pair.g - other.g
            variance = pair.errors**2 + other.errors**2
            noisy = np.isfinite(variance) & (variance > 0.0)
            found[pair.name] = {
                "largest": float(np.abs(off).max()),
                "mean": float(np.abs(off).mean()),
                "per_cent": 100.0 * float(np.abs(off).mean() / max(other.g.mean(), 1e-300)),
                "chi_squared": float(np.mean(off[noisy] ** 2 / variance[noisy])) if noisy.any() else float("nan"),
            }
        return found

    def __str__(self) -> str:
        lines = [
            f"radial distribution up to {self.edges[-1]:.2f} Å, {self.n_frames} frames in {self.n_blocks} blocks:",
            f"{'pair':8}{'highest at (Å)':>16}{'g there':>10}{'±':>8}{'first (Å)':>11}",
        ]
        for pair in self.pairs:
            top = int(np.argmax(pair.g))
            first = self.edges[int(np.argmax(pair.g > 0.0))] if pair.g.any() else float("nan")
            numbers = f"{self.centers[top]:16.3f}{pair.g[top]:10.3f}{pair.errors[top]:8.3f}{first:11.3f}"
            lines.append(f"{pair.name:8}{numbers}".replace("nan", "  -"))
        for name, off in self.deviation().items():
            lines.append(
                f"{name} against the reference: g off by {off['mean']:.3f} on average ({off['per_cent']:.1f} %), by "
                f"{off['largest']:.3f} at most; {off['chi_squared']:.2f} times the variance of its errors"
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return everything.

        Returns
        -------
        dict
            Plain JSON types.
        """
        return as_dict(self) | {"deviation": plain(self.deviation())}


def radial_distribution(
    frames: Sequence[Atoms],
    cutoff: float | None = None,
    n_bins: int = 120,
    n_blocks: int = 5,
    reference: Sequence[Atoms] | RadialDistribution | None = None,
) -> RadialDistribution:
    """Return the radial distribution functions of all pairs of elements.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        Periodic structures of one composition, of any volumes and cells, such as frames of an MD run.
    cutoff : float, optional
        Largest distance, Å; 6 Å by default, or the shortest period of the frames, where that is less.
    n_bins : int, default=120
        Bins of equal width.
    n_blocks : int, default=5
        Consecutive blocks of frames, from whose means the errors come; not more than there are frames.
    reference : sequence of ase.Atoms or RadialDistribution, optional
        What to compare with.

    Returns
    -------
    RadialDistribution
        Table by ``str``.

    Raises
    ------
    StructureError
        If there are no frames, one is not periodic, or compositions differ.
    SettingsError
        If the cutoff reaches images of an atom itself, for which no such normalization exists, or a setting cannot be
        used.
    """
    frames = [frames] if isinstance(frames, Atoms) else list(frames)
    numbers = _check_frames(frames)
    shortest = min(float(np.linalg.norm(minkowski_reduce(f.cell.array)[0], axis=1).min()) for f in frames)
    reach = min(DEFAULT_CUTOFF, shortest) if cutoff is None else float(cutoff)
    if not 0.0 < reach <= shortest:
        raise SettingsError(
            f"cutoff={reach} Å, but atoms meet their own periodic images at {shortest:.3f} Å; give a smaller cutoff, "
            "or frames of a larger cell"
        )
    if n_bins < 1 or n_blocks < 1:
        raise SettingsError(f"n_bins={n_bins}, n_blocks={n_blocks}; give 1 or more")
    edges = np.linspace(0.0, reach, n_bins + 1)
    names = sorted(combinations_with_replacement(sorted({chemical_symbols[n] for n in numbers}), 2))
    counted = [_count(frame, names, edges) for frame in frames]
    g = np.array([values for values, _ in counted])
    neighbors = np.array([values for _, values in counted]).mean(axis=0)
    blocks = np.array([block.mean(axis=0) for block in np.array_split(g, min(n_blocks, len(g)))])
    errors = np.full(g.shape[1:], np.nan)
    if len(blocks) > 1:
        errors = blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))
    pairs = [
        PairDistribution(name, g[:, k].mean(axis=0), errors[k], np.cumsum(neighbors[k])) for k, name in enumerate(names)
    ]
    result = RadialDistribution(edges, tuple(pairs), len(frames), len(blocks))
    if reference is None:
        return result
    if not isinstance(reference, RadialDistribution):
        reference = radial_distribution(reference, reach, n_bins, n_blocks)
    if [p.name for p in reference.pairs] != [p.name for p in pairs] or not np.array_equal(reference.edges, edges):
        raise SettingsError(
            "the reference has other elements or other bins; compute it with the same cutoff and n_bins"
        )
    return replace(result, reference=reference)


def _check_frames(frames: list[Atoms]) -> list[int]:
    """Return the elements of the frames, which must be alike."""
    if not frames:
        raise StructureError("there are no frames; give one or more")
    for index, frame in enumerate(frames):
        if not frame.pbc.all() or abs(frame.cell.volume) < 1e-6:
            raise StructureError(
                f"frame {index} has pbc {frame.pbc.tolist()} and volume {abs(frame.cell.volume):g} Å³; a density needs "
                "frames that are periodic in all three directions"
            )
        if sorted(frame.numbers) != sorted(frames[0].numbers):
            raise StructureError(
                f"frame {index} is {frame.get_chemical_formula()}, frame 0 {frames[0].get_chemical_formula()}; give "
                "frames of one composition"
            )
    return sorted({int(n) for n in frames[0].numbers})


def _count(frame: Atoms, names: list[tuple[str, str]], edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return g and the mean numbers of neighbors in every bin, both (n_pairs, n_bins)."""
    found = find_pairs(frame, float(edges[-1]))
    symbols = np.array([chemical_symbols[n] for n in frame.numbers])
    proper = found.i != found.j  # an image of the atom itself may stand at the very end of the last bin
    first, second = symbols[found.i[proper]], symbols[found.j[proper]]
    distances = found.distances[proper]
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    g, neighbors = np.zeros((len(names), len(shells))), np.zeros((len(names), len(shells)))
    for k, (a, b) in enumerate(names):
        n_a, n_b = int(np.sum(symbols == a)), int(np.sum(symbols == b))
        counts = np.histogram(distances[(first == a) & (second == b)], edges)[0]
        neighbors[k] = counts / n_a
        others = n_b - (a == b)
        if others:
            g[k] = frame.get_volume() * counts / (n_a * others * shells)
    return g, neighbors
