"""Folding: rows into systems, systems into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from linmlp.exceptions import SettingsError
from linmlp.system.compressed import FORMS, CompressedSystem
from linmlp.system.gram import GramSystem
from linmlp.system.qr import QRSystem
from linmlp.system.row_system import RowSystem
from linmlp.units import FloatArray


def check_form(form: str) -> str:
    """Return the form if there is such a one.

    Parameters
    ----------
    form : str
        Name of a compressed form.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    SettingsError
        If it is neither "gram" nor "qr".
    """
    if form not in FORMS:
        raise SettingsError(f"form={form!r} is not a form of compressed system; give one of {FORMS}")
    return form


def empty_system(n_features: int, form: str = "gram") -> RowSystem:
    """Return a system without rows.

    Parameters
    ----------
    n_features : int
        Number of features.
    form : {"gram", "qr"}, default="gram"
        Form that it grows into.

    Returns
    -------
    RowSystem
        A system to which rows and systems can be added.
    """
    return RowSystem(np.empty((0, n_features)), np.empty(0), check_form(form))


def rows_to_system(
    X: FloatArray, y: FloatArray, row_scale: FloatArray | None = None, form: str = "gram", overwrite: bool = False
) -> CompressedSystem:
    """Return rows folded, or kept as rows while they are not more than the features.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows of the design matrix; the row stride may be larger than the row.
    y : ndarray of shape (n_rows,)
        Targets.
    row_scale : ndarray of shape (n_rows,), optional
        Factors on rows and targets (square roots of weights); rows with 0 are absent.
    form : {"gram", "qr"}, default="gram"
        Form to compress to.
    overwrite : bool, default=False
        Whether `X` may be scaled in place and kept.

    Returns
    -------
    CompressedSystem
        The rows, folded.
    """
    n_rows = len(y)
    if row_scale is not None and not np.all(row_scale == 1.0):
        n_rows = int(np.count_nonzero(row_scale))
        y = np.where(row_scale == 0.0, 0.0, row_scale * y)  # the target of an absent row may be anything, NaN included
        X = np.multiply(X, row_scale[:, None], out=X) if overwrite else X * row_scale[:, None]
        overwrite = True
    if n_rows <= X.shape[1]:
        present = slice(None) if n_rows == len(y) else row_scale != 0.0
        X = X[present]
        # A view of a large buffer would keep the buffer alive, and a view of the caller's array would change with it.
        return RowSystem(X.copy() if X.base is not None or not overwrite else X, y[present].copy(), form)
    return (GramSystem if form == "gram" else QRSystem).from_rows(X, y, n_rows)


def merge(systems: Sequence[CompressedSystem], form: str | None = None) -> CompressedSystem:
    """Return one system with the rows of all, merged in the order given.

    Parameters
    ----------
    systems : sequence of CompressedSystem
        Systems with the same features.
    form : {"gram", "qr"}, optional
        Form of the result; by default that of the systems, Gram if any of them is.

    Returns
    -------
    CompressedSystem
        A `RowSystem` while the rows are not more than the features, else the form asked for.
    """
    systems = [part for system in systems for part in system.merge_parts()]
    if not systems:
        raise SettingsError("there is no system to merge; give at least one")
    widths = sorted({system.n_features for system in systems})
    if len(widths) > 1:
        raise SettingsError(f"systems of {widths} features cannot be merged; they must have the same features")
    form = check_form(form or _common_form(systems))
    rows = [system for system in systems if isinstance(system, RowSystem)]
    if len(rows) == len(systems) and sum(system.n_rows for system in rows) <= widths[0]:
        return _stack(rows, form)
    return _merge_gram(systems) if form == "gram" else _merge_qr(systems)


def from_state(arrays: Mapping[str, FloatArray]) -> CompressedSystem:
    """Return the system that `CompressedSystem.to_state` made these arrays of.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Arrays by name.

    Returns
    -------
    CompressedSystem
        An equal system.
    """
    form, n_rows = str(arrays["form"]), int(arrays["n_rows"])
    if form == "rows":
        return RowSystem(arrays["X"], arrays["y"], str(arrays["grows_into"]), n_rows)
    packed = arrays["packed"]
    n_features = round((np.sqrt(8 * len(packed) + 1) - 1) / 2) - 1
    return (GramSystem if check_form(form) == "gram" else QRSystem)(packed, n_features, n_rows)


def _common_form(systems: Sequence[CompressedSystem]) -> str:
    """Return the form that a merge of these systems takes."""
    forms = {s.grows_into for s in systems if s.n_rows}
    return "qr" if forms == {"qr"} else "gram"


def _stack(rows: Sequence[RowSystem], form: str) -> RowSystem:
    """Return one system of plain rows."""
    if len(rows) == 1 and rows[0].grows_into == form:
        return rows[0]
    X, y = np.concatenate([s.X for s in rows]), np.concatenate([s.y for s in rows])
    return RowSystem(X, y, form, sum(s.n_rows for s in rows))


def _merge_gram(systems: Sequence[CompressedSystem]) -> GramSystem:
    """Return the sum of the triangles; rows are folded together, first."""
    rows = [system for system in systems if isinstance(system, RowSystem)]
    total: GramSystem | None = None
    if rows:
        stacked = _stack(rows, "gram")
        total = GramSystem.from_rows(stacked.X, stacked.y, stacked.n_rows)
    for system in systems:
        if isinstance(system, RowSystem):
            continue
        part = system if isinstance(system, GramSystem) else GramSystem.from_gram(system.to_gram(), system.n_rows)
        if total is None:
            total = GramSystem(part.packed.copy(), part.n_features, part.n_rows)
        else:
            total.packed += part.packed
            total.n_rows += part.n_rows
    assert total is not None
    return total


def _merge_qr(systems: Sequence[CompressedSystem]) -> QRSystem:
    """Return the factor of all rows; triangles are folded first, then plain rows."""
    factors = [_to_qr(system) for system in systems if not isinstance(system, RowSystem)]
    rows = [system for system in systems if isinstance(system, RowSystem)]
    total = factors[0].absorb(factors[1:]) if len(factors) > 1 else (factors[0] if factors else None)
    if not rows:
        assert total is not None
        return total
    stacked = _stack(rows, "qr")
    if total is None:
        return QRSystem.from_rows(stacked.X, stacked.y, stacked.n_rows)
    if len(stacked.y) > stacked.n_features:
        return total.absorb([QRSystem.from_rows(stacked.X, stacked.y, stacked.n_rows)])
    return total.absorb_rows(stacked.X, stacked.y, stacked.n_rows)


def _to_qr(system: CompressedSystem) -> QRSystem:
    """Return the QR form of a compressed system."""
    if isinstance(system, QRSystem):
        return system
    R, z, rho_squared = system.to_factor()
    n = system.n_features
    triangle = np.zeros((n + 1, n + 1))
    triangle[:n, :n], triangle[:n, n], triangle[n, n] = R, z, np.sqrt(rho_squared)
    return QRSystem.from_triangle(triangle, system.n_rows)
