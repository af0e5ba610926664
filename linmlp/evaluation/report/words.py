"""Numbers and names as the report writes them."""

NAMES = {"energy": "energies", "force": "forces", "stress": "stresses"}
"""Plurals of the kinds of label."""


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with some significant digits and no exponent in the usual range.

    Parameters
    ----------
    value : float or None
        Number.
    digits : int, default=3
        Significant digits.

    Returns
    -------
    str
        A dash where there is none.

    Examples
    --------
    >>> number(1234.6), number(0.06439), number(-2.5), number(0.0), number(None)
    ('1235', '0.0644', '−2.50', '0', '–')
    """
    if value is None or value != value:
        return "–"
    size = abs(float(value))
    if size == 0.0:
        return "0"
    if not 1e-5 <= size < 1e6:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    exponent = int(f"{size:.{digits - 1}e}".split("e")[1])
    return f"{value:.{max(digits - 1 - exponent, 0)}f}".replace("-", "−")


def spoken(metric: str) -> str:
    """Return the name of an error.

    Parameters
    ----------
    metric : str
        Such as "force_rmse".

    Returns
    -------
    str
        Such as "force RMSE".
    """
    kind, mean = metric.split("_")
    return f"{kind} {mean.upper()}"


def count(n: int, what: str) -> str:
    """Return a number with a noun that agrees with it.

    Parameters
    ----------
    n : int
        Number.
    what : str
        Singular.

    Returns
    -------
    str
        Such as "2 structures".
    """
    return f"{n} {what}{'' if n == 1 else 's'}"
