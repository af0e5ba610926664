"""Radial functions as splines: any smooth functions of a distance in, one table for the loops out."""

from collections.abc import Callable
from math import factorial
from typing import NamedTuple

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline

from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray

ORDER = 6
"""Coefficients of a piece: quintic splines, whose forces are three times differentiable."""

TOLERANCE = 1e-9
"""Largest error of a spline in units of the largest value of its function."""

MOST_PIECES = 4096
"""More of them would not fit into the cache, and are not needed for anything smooth."""


class RadialTable(NamedTuple):
    """Splines of radial functions, all on the same pieces.

    Parameters
    ----------
    per_piece : float
        Pieces per Å.
    coefficients : ndarray of shape (n_pieces, ORDER, n_functions)
        Of powers 0, 1, ... of the distance from the start of the piece, in units of its width.
    """

    per_piece: float
    coefficients: FloatArray


def make_table(functions: Callable[[FloatArray], FloatArray], end: float) -> RadialTable:
    """Return splines of functions on (0, end).

    Parameters
    ----------
    functions : callable
        Distances (n_points,) in, values (n_points, n_functions) out; also a little below 0 and beyond the end.
    end : float
        Largest distance, Å.

    Returns
    -------
    RadialTable
        With as many pieces as `TOLERANCE` needs.

    Raises
    ------
    SettingsError
        If the functions are not smooth enough.
    """
    n_pieces = 32
    while n_pieces <= MOST_PIECES:
        width = end / n_pieces
        margin = ORDER  # knots beyond the ends, so that no condition there is needed
        knots = width * np.arange(-margin, n_pieces + margin + 1, dtype=np.float64)
        spline = make_interp_spline(knots, functions(knots), k=ORDER - 1)
        middles = width * (np.arange(n_pieces, dtype=np.float64) + 0.5)
        exact = functions(middles)
        if np.all(np.abs(spline(middles) - exact) <= TOLERANCE * np.abs(exact).max(axis=0)):
            return RadialTable(1.0 / width, _pieces(spline, width, n_pieces))
        n_pieces *= 2
    raise SettingsError(
        f"radial functions up to {end:g} Å change too fast for {MOST_PIECES} pieces of a spline; "
        "give broader Gaussians or a smaller cutoff"
    )


def _pieces(spline: BSpline, width: float, n_pieces: int) -> FloatArray:
    """Return the coefficients of the pieces by local powers, (n_pieces, ORDER, n_functions)."""
    starts = width * np.arange(n_pieces)
    # All derivatives but the last are continuous; that one is constant in a piece.
    places = [starts] * (ORDER - 1) + [starts + 0.5 * width]
    scales = [width**k / factorial(k) for k in range(ORDER)]
    found = [scales[k] * spline(places[k], nu=k) for k in range(ORDER)]
    return np.ascontiguousarray(np.stack(found, axis=1))
