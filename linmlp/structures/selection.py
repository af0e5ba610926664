"""Choices among structures, on matrices: points that are far apart, and blocks of rows that determine the most."""

import heapq
from collections.abc import Sequence

import numpy as np
from scipy.linalg import LinAlgError, cholesky

from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray, IntArray


def farthest_point(
    features: FloatArray, n: int, start: int | None = None, initial: Sequence[int] | IntArray = ()
) -> IntArray:
    r"""Return rows that are far from each other, in order of choice.

    Each next one is the row whose distance to the nearest one chosen so far is the largest (Gonzalez' algorithm, whose
    largest distance to the nearest chosen row is at most twice that of the best choice).

    Parameters
    ----------
    features : ndarray of shape (n_structures, n_features)
        One row per structure; distances are Euclidean, so bring the columns to one scale before.
    n : int
        How many to choose, on top of `initial`.
    start : int, optional
        The first one; by default the row farthest from the mean. Not used together with `initial`.
    initial : sequence of int, optional
        Rows chosen already; none of them is returned.

    Returns
    -------
    ndarray of shape (n,), int64
        Indices of rows. Where all that remain are copies of chosen ones, these follow in their order.

    Raises
    ------
    SettingsError
        If there are not so many rows, an index is out of range, or both `start` and `initial` are given.

    References
    ----------
    T. F. Gonzalez, Theor. Comput. Sci. 38, 293 (1985).

    Examples
    --------
    >>> farthest_point(np.array([[0.0], [1.0], [10.0], [5.0]]), 3).tolist()
    [2, 0, 3]
    """
    features = np.asarray(features, dtype=float)
    taken = _check_choice(len(features), n, initial)
    if start is not None and len(taken):
        raise SettingsError(f"start={start} and {len(taken)} initial structures were given; give one or the other")
    if start is not None:
        _check_indices("start", np.array([start]), len(features))
    distance = np.full(len(features), np.inf)
    for index in taken:
        distance = np.minimum(distance, _squared_distances(features, index))
    distance[taken] = -np.inf
    chosen: list[int] = []
    while len(chosen) < n:
        if chosen or len(taken):
            index = int(distance.argmax())
        else:
            index = int(_squared_distances(features, None).argmax()) if start is None else int(start)
        chosen.append(index)
        distance = np.minimum(distance, _squared_distances(features, index))
        distance[index] = -np.inf
    return np.array(chosen, dtype=np.int64)


def d_optimal(
    blocks: Sequence[FloatArray],
    n: int,
    *,
    alpha: float = 1e-4,
    initial: Sequence[int] | IntArray = (),
    cost: FloatArray | Sequence[float] | None = None,
) -> IntArray:
    r"""Return the blocks of rows that determine coefficients best, in order of choice.

    Chosen greedily to make

    .. math:: \log \det \Bigl(\alpha I + \sum_{i \in S} B_i^T B_i\Bigr)

    as large as possible: the inverse of that matrix is, up to the noise, the covariance of the ridge coefficients that
    the rows of S give. The gain of a block falls with every block that is chosen before it (the objective is
    submodular), so that a gain computed earlier is a bound, and few have to be computed anew at each step (the lazy
    greedy algorithm). A greedy choice reaches at least 1 − 1/e of the largest possible rise (without `cost`).

    Parameters
    ----------
    blocks : sequence of ndarray of shape (n_rows_i, n_features)
        Rows of each structure. Scales of columns matter only against `alpha`.
    n : int
        How many to choose, on top of `initial`.
    alpha : float, default=1e-4
        Ridge strength; directions whose sum of squares stays far below it count for nothing.
    initial : sequence of int, optional
        Blocks chosen already; none of them is returned.
    cost : array-like of shape (n_structures,), optional
        What each block costs: gains are compared per cost. All cost the same by default.

    Returns
    -------
    ndarray of shape (n,), int64
        Indices of blocks.

    Raises
    ------
    SettingsError
        If there are not so many blocks, an index is out of range, widths differ, or `alpha` or a cost is not positive.

    References
    ----------
    M. Minoux, in Optimization Techniques, Springer (1978), p. 234 (lazy greedy); G. L. Nemhauser, L. A. Wolsey,
    M. L. Fisher, Math. Program. 14, 265 (1978).

    Examples
    --------
    >>> rows = [np.array([[1.0, 0.0]]), np.array([[0.9, 0.0]]), np.array([[0.0, 0.5]])]
    >>> d_optimal(rows, 2, alpha=0.01).tolist()
    [0, 2]
    """
    blocks = [np.atleast_2d(np.asarray(block, dtype=float)) for block in blocks]
    taken = _check_choice(len(blocks), n, initial)
    costs = _check_costs(cost, len(blocks))
    widths = {block.shape[1] for block in blocks}
    if len(widths) > 1:
        raise SettingsError(f"blocks have {sorted(widths)} columns; all need the same features")
    if not (np.isfinite(alpha) and alpha > 0.0):
        raise SettingsError(f"alpha={alpha}; it must be a positive number, so that the determinant is not 0")
    information = alpha * np.eye(widths.pop())
    for index in taken:
        information += blocks[index].T @ blocks[index]
    remaining = np.setdiff1d(np.arange(len(blocks)), taken)
    return _lazy_greedy(blocks, information, remaining, n, costs)


def _lazy_greedy(
    blocks: Sequence[FloatArray], information: FloatArray, remaining: IntArray, n: int, costs: FloatArray
) -> IntArray:
    """Return n blocks; a heap holds (−gain per cost, index, how many were chosen when the gain was computed)."""
    level = _log_det(information)
    heap = [(-_gain(blocks[i], information, level) / costs[i], int(i), 0) for i in remaining]
    heapq.heapify(heap)
    chosen: list[int] = []
    while len(chosen) < n:
        _, index, age = heap[0]
        if age == len(chosen):
            heapq.heappop(heap)
            chosen.append(index)
            information = information + blocks[index].T @ blocks[index]
            level = _log_det(information)
        else:
            gain = _gain(blocks[index], information, level)
            heapq.heapreplace(heap, (-gain / costs[index], index, len(chosen)))
    return np.array(chosen, dtype=np.int64)


def _gain(block: FloatArray, information: FloatArray, level: float) -> float:
    """Return by how much a block raises the log-determinant."""
    return _log_det(information + block.T @ block) - level


def _log_det(matrix: FloatArray) -> float:
    """Return the logarithm of the determinant of a positive definite matrix."""
    try:
        factor = cholesky(matrix, check_finite=False)
    except LinAlgError:
        raise SettingsError(
            "the rows are not finite, or so large against alpha that rounding hides it; scale the columns, or raise "
            "alpha"
        ) from None
    return float(2.0 * np.log(np.diag(factor)).sum())


def _squared_distances(features: FloatArray, index: int | None) -> FloatArray:
    """Return squared distances of all rows from one row, or from the mean."""
    difference = features - (features.mean(axis=0) if index is None else features[index])
    return np.asarray(np.einsum("sf,sf->s", difference, difference))


def _check_choice(n_structures: int, n: int, initial: Sequence[int] | IntArray) -> IntArray:
    """Return the initial choice without repetitions, after checking that n more can be chosen."""
    taken = np.unique(np.asarray(initial, dtype=np.int64))
    _check_indices("initial", taken, n_structures)
    left = n_structures - len(taken)
    if not (isinstance(n, int | np.integer) and 1 <= n <= left):
        raise SettingsError(
            f"n={n!r} structures are to be chosen among {n_structures}, of which {len(taken)} are chosen already; "
            f"give a whole number from 1 to {left}"
        )
    return taken


def _check_indices(name: str, indices: IntArray, n_structures: int) -> None:
    """Raise where an index is none of a structure."""
    bad = indices[(indices < 0) | (indices >= n_structures)]
    if len(bad):
        raise SettingsError(f"{name} holds {bad[0]}; there are {n_structures} structures, numbered from 0")


def _check_costs(cost: FloatArray | Sequence[float] | None, n_structures: int) -> FloatArray:
    """Return one positive cost per block."""
    costs = np.ones(n_structures) if cost is None else np.asarray(cost, dtype=float)
    if costs.shape != (n_structures,):
        raise SettingsError(f"cost has shape {costs.shape} for {n_structures} structures; give one number each")
    if not (np.isfinite(costs).all() and (costs > 0.0).all()):
        raise SettingsError(f"the smallest cost is {costs.min()}; costs must be finite and positive")
    return costs
