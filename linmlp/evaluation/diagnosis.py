"""Errors on training and validation structures in, a plain statement out."""

from collections.abc import Mapping

from linmlp.exceptions import SettingsError

OVERFIT_RATIO = 1.5
"""A validation error above this many times the training error is called overfitting."""

CLOSE_RATIO = 1.1
"""Below this ratio the two errors count as the same."""

MANY_ROWS = 10.0
"""With this many rows per feature and the same errors, the functions are what limits the fit."""


def diagnose_fit(
    train_errors: Mapping[str, float], validation_errors: Mapping[str, float], n_rows: int, n_features: int
) -> str:
    """Return whether a fit overfits, may underfit, or neither, with rule and figures.

    Parameters
    ----------
    train_errors, validation_errors : mapping of str to float
        Errors by name, such as ``force_rmse``, in the same units; names in only one of them are not used.
    n_rows : int
        Rows of the training problem: labels of energy, force components, stress components.
    n_features : int
        Functions of the fit.

    Returns
    -------
    str
        One sentence, or one per kind that overfits.

    Raises
    ------
    SettingsError
        If no error is in both, or a count is not positive.
    """
    names = [name for name in train_errors if name in validation_errors]
    if not names or n_rows < 1 or n_features < 1:
        raise SettingsError(
            f"errors in both: {names}, n_rows={n_rows}, n_features={n_features}; give at least one error of the same "
            "name for training and validation, and positive counts"
        )
    ratios = {name: _ratio(validation_errors[name], train_errors[name]) for name in names}
    per_feature = n_rows / n_features
    rows = f"{n_rows} rows for {n_features} functions ({per_feature:.3g} each)"
    over = [name for name in names if ratios[name] > OVERFIT_RATIO]
    if over:
        figures = ", ".join(f"{n} {validation_errors[n]:.4g} against {train_errors[n]:.4g}" for n in over)
        return (
            f"overfits: the validation error is more than {OVERFIT_RATIO:g} times the training error ({figures}); "
            f"{rows}: add structures, raise alpha, or lower max_degree"
        )
    worst = max(ratios.values())
    if worst < CLOSE_RATIO and per_feature >= MANY_ROWS:
        return (
            f"may underfit: validation errors are within {CLOSE_RATIO:g} times the training errors (at most "
            f"{worst:.3g}), with {rows}, {MANY_ROWS:g} or more: a larger max_degree may lower both"
        )
    return (
        f"neither overfits nor underfits: validation errors are at most {worst:.3g} times the training errors; {rows}"
    )


def _ratio(validation: float, train: float) -> float:
    if validation == 0.0:
        return 0.0
    return validation / train if train > 0.0 else float("inf")
