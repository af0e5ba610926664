"""Which structures of a pool to compute or to train on: the ones whose rows determine a fit best."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from ase import Atoms
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors import ACE, Descriptor
from linmlp.exceptions import InputError, SettingsError, StructureError
from linmlp.structures import check_structures
from linmlp.structures.checks import describe
from linmlp.structures.selection import d_optimal, farthest_point
from linmlp.system.loss_weights import AUTO_ENERGY_PER_ATOM, AUTO_VIRIAL_PER_ATOM
from linmlp.system.threads import one_blas_thread
from linmlp.units import VOIGT_MULTIPLICITY, FloatArray, IntArray

SELECTION_DEGREE = (12, 10, 8)
"""Degrees of the ACE that compares structures where no descriptor is given: 264 functions for one element."""

ALPHA = 0.01
"""Ridge strength of the D-optimal choice, against columns of unit norm over the pool: directions in which the whole
pool has less than this hardly count, since a choice that chases them takes outliers alone."""

MAX_DIRECTIONS = 300
"""Most principal directions in which rows are kept: a structure takes at most this number squared of floats."""


def select_structures(
    pool: Sequence[Atoms],
    n: int,
    method: Literal["d_optimal", "farthest_point"] = "d_optimal",
    descriptor: Any = None,
    *,
    initial: Sequence[int] = (),
    cost: Literal["structure", "atom"] = "structure",
    n_candidates: int | None = None,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> IntArray:
    r"""Return the structures of a pool that are worth computing or training on, in order of choice.

    No labels are needed. "d_optimal" chooses greedily for the largest determinant of the information
    :math:`\alpha I + \sum_i B_i^T B_i`, where :math:`B_i` are the rows of the fit that structure i would bring: the
    energy per atom, the forces and the virial per atom, weighted as the automatic weights of `LinearPotential` do.
    "farthest_point" compares the mean features of the atoms.

    Parameters
    ----------
    pool : sequence of ase.Atoms
        Structures to choose from.
    n : int
        How many to choose.
    method : {"d_optimal", "farthest_point"}, default="d_optimal"
        How to choose.
    descriptor : Descriptor, fitted potential or None, default=None
        Features. One that is not fitted is fitted to the pool; of a potential its ``descriptor_`` is taken. None means
        ``ACE(max_degree=(12, 10, 8))`` for one element, and ``ACE()`` for more.
    initial : sequence of int, optional
        Structures of the pool that are there already; they inform the choice and are not returned.
    cost : {"structure", "atom"}, default="structure"
        What is paid for: "atom" divides what a structure brings by its number of atoms (only for "d_optimal").
    n_candidates : int, optional
        Choose among so many structures drawn at random (and `initial`); all of the pool by default.
    random_state : int, default=0
        Seed of that draw.
    n_jobs : int or None, default=None
        Threads that compute rows.

    Returns
    -------
    ndarray of shape (n,), int64
        Indices of structures in the pool.

    Raises
    ------
    SettingsError
        If a setting is not known or there are not so many structures.
    StructureError
        If a structure cannot be used.

    Notes
    -----
    Columns are scaled to unit norm over the pool, and rows kept in the principal directions of the pool in which the
    sum of squares exceeds :math:`\alpha` = 0.01; each direction left out could raise the log-determinant by less than
    log 2. At most 300 directions are kept.

    Examples
    --------
    >>> from linmlp import ACE
    >>> from linmlp.datasets import load_silicon
    >>> train, _ = load_silicon()
    >>> chosen = select_structures(train[:20], 5, descriptor=ACE(cutoff=4.0, order=2, max_degree=(6, 4)))
    >>> len(set(chosen.tolist()))
    5
    """
    structures = check_structures(pool)
    _check_settings(method, cost)
    candidates, taken = _draw(len(structures), n, initial, n_candidates, random_state)
    drawn = [structures[i] for i in candidates]
    features = _fitted_descriptor(descriptor, drawn)
    known = np.searchsorted(candidates, taken)
    with one_blas_thread():
        if method == "farthest_point":
            chosen = farthest_point(_mean_features(drawn, candidates, features, n_jobs), n, initial=known)
        else:
            n_atoms = None if cost == "structure" else np.array([len(atoms) for atoms in drawn], dtype=float)
            blocks = information_blocks(drawn, features, n_jobs, names=candidates)
            chosen = d_optimal(blocks, n, alpha=ALPHA, initial=known, cost=n_atoms)
    return np.asarray(candidates[chosen], dtype=np.int64)


def information_blocks(
    structures: Sequence[Atoms],
    descriptor: Descriptor,
    n_jobs: int | None = None,
    names: IntArray | None = None,
) -> list[FloatArray]:
    """Return the rows of each structure in the principal directions of all of them.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Structures.
    descriptor : Descriptor
        Fitted descriptor.
    n_jobs : int or None, default=None
        Threads.
    names : ndarray of shape (n_structures,), optional
        Numbers by which messages name the structures; their places by default.

    Returns
    -------
    list of ndarray of shape (n_rows_i, n_directions)
        The sum of squares of each column of the original rows over all structures is 1 before the projection. Blocks of
        more rows than directions are replaced by their triangular factor, which has the same Gram matrix.
    """
    numbers = np.arange(len(structures)) if names is None else names
    total: FloatArray = np.zeros((descriptor.n_features_out_,) * 2)
    # Two passes, since the rows of a large pool do not fit in memory; batches bound what waits to be summed.
    for batch in np.array_split(np.arange(len(structures)), -(-len(structures) // 64)):
        for rows in _map(_weighted_rows, structures, numbers, batch, descriptor, n_jobs):
            total += rows.T @ rows
    directions = _principal_directions(total)
    blocks: list[FloatArray] = []
    for batch in np.array_split(np.arange(len(structures)), -(-len(structures) // 64)):
        found = _map(_weighted_rows, structures, numbers, batch, descriptor, n_jobs)
        blocks += [_compress(rows @ directions) for rows in found]
    return blocks


def _weighted_rows(atoms: Atoms, descriptor: Descriptor) -> FloatArray:
    """Return energy, force and virial rows, weighted as in the loss, (1 + 3 n_atoms [+ 6], n_features)."""
    pairs = descriptor.pairs(atoms)
    energy, forces, strain = descriptor.allocate_rows(len(atoms))
    descriptor.write_rows(pairs, energy, forces, strain)
    rows = [AUTO_ENERGY_PER_ATOM / len(atoms) * energy[None, :], forces]
    if pairs.volume is not None:
        rows.append(AUTO_VIRIAL_PER_ATOM / len(atoms) * np.sqrt(VOIGT_MULTIPLICITY)[:, None] * strain)
    return np.concatenate(rows)


def _principal_directions(total: FloatArray) -> FloatArray:
    """Return what maps rows to unit columns and then to the directions that count, (n_features, n_directions)."""
    norms = np.sqrt(np.diag(total))
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0.0)
    values, vectors = np.linalg.eigh(scale[:, None] * total * scale)
    kept = np.flatnonzero(values > ALPHA)[-MAX_DIRECTIONS:]
    return np.asarray(scale[:, None] * vectors[:, kept])


def _compress(rows: FloatArray) -> FloatArray:
    """Return rows with the same Gram matrix, no more than there are columns."""
    return rows if len(rows) <= rows.shape[1] else np.asarray(np.linalg.qr(rows, mode="r"))


def _mean_features(
    structures: Sequence[Atoms], numbers: IntArray, descriptor: Descriptor, n_jobs: int | None
) -> FloatArray:
    """Return mean features of the atoms of each structure, every column of unit variance over the structures."""
    places = np.arange(len(structures))
    means = np.array(_map(_mean_of_atoms, structures, numbers, places, descriptor, n_jobs))
    means -= means.mean(axis=0)
    spread = means.std(axis=0)
    # A column that differs by rounding alone must not count like the others.
    varies = spread > len(means) * np.finfo(float).eps * np.abs(means).max(initial=0.0)
    return np.asarray(means[:, varies] / spread[varies])


def _mean_of_atoms(atoms: Atoms, descriptor: Descriptor) -> FloatArray:
    """Return the mean over atoms of the features, (n_features,)."""
    energy = descriptor.allocate_rows(len(atoms))[0]
    descriptor.write_rows(descriptor.pairs(atoms), energy, None, None)
    return np.asarray(energy / len(atoms))


def _map(
    function: Any,
    structures: Sequence[Atoms],
    numbers: IntArray,
    places: IntArray,
    descriptor: Descriptor,
    n_jobs: int | None,
) -> list[FloatArray]:
    """Return a function of some structures; errors name the structure."""

    def compute(place: int) -> FloatArray:
        try:
            return np.asarray(function(structures[place], descriptor))
        except InputError as error:
            raise StructureError(f"{describe(int(numbers[place]), structures[place])}: {error}") from error

    return list(Parallel(n_jobs=n_jobs, prefer="threads")(delayed(compute)(int(place)) for place in places))


def _fitted_descriptor(given: Any, structures: Sequence[Atoms]) -> Descriptor:
    """Return a fitted descriptor: that of a potential, the given one, or a new one fitted to the structures."""
    if given is None:
        one_element = len({int(z) for atoms in structures for z in atoms.numbers}) == 1
        return ACE(max_degree=SELECTION_DEGREE if one_element else "auto").fit(structures)
    if not isinstance(given, Descriptor):
        if not hasattr(given, "descriptor_"):
            raise SettingsError(
                f"descriptor={given!r} is no descriptor and no fitted potential; give one such as ACE(cutoff=5.0), "
                "a potential after fit, or None"
            )
        fitted: Descriptor = given.descriptor_
        return fitted
    try:
        check_is_fitted(given)
    except NotFittedError:
        return clone(given).fit(structures)  # type: ignore[no-any-return]
    return given


def _draw(
    n_structures: int, n: int, initial: Sequence[int], n_candidates: int | None, random_state: int
) -> tuple[IntArray, IntArray]:
    """Return the structures to choose from, those chosen already among them, and the latter."""
    taken = np.unique(np.asarray(initial, dtype=np.int64))
    if len(taken) and not (taken[0] >= 0 and taken[-1] < n_structures):
        raise SettingsError(f"initial holds {taken[[0, -1]].tolist()}; the pool is numbered 0 to {n_structures - 1}")
    others = np.setdiff1d(np.arange(n_structures), taken)
    if n_candidates is not None:
        if not (isinstance(n_candidates, int | np.integer) and n <= n_candidates <= len(others)):
            raise SettingsError(
                f"n_candidates={n_candidates!r}; it must be a whole number from n={n} to {len(others)}, the number of "
                "structures that are not chosen yet"
            )
        others = np.random.default_rng(random_state).choice(others, n_candidates, replace=False)
    return np.sort(np.concatenate([others, taken])), taken


def _check_settings(method: str, cost: str) -> None:
    """Raise where a name is not known, or a cost would be ignored."""
    if method not in ("d_optimal", "farthest_point"):
        raise SettingsError(f'method={method!r} is not known; give "d_optimal" or "farthest_point"')
    if cost not in ("structure", "atom"):
        raise SettingsError(f'cost={cost!r} is not known; give "structure" or "atom"')
    if cost == "atom" and method == "farthest_point":
        raise SettingsError('cost="atom" has no meaning for farthest_point, which has no gains; use method="d_optimal"')
