"""When a potential calibrates its uncertainty, and what it says where it has none."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sklearn.utils.validation import check_is_fitted

from linmlp.descriptors import ImportedACE
from linmlp.descriptors.ace.imported import refuse_rows
from linmlp.exceptions import SettingsError
from linmlp.potentials.fit_result import Fit
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.reporting import Reporter
from linmlp.potentials.training_set import TrainingSet
from linmlp.potentials.uncertainty.fitting import fit_uncertainty
from linmlp.potentials.uncertainty.ridge_posterior import ridge_of
from linmlp.potentials.uncertainty.uncertainty import Uncertainty

if TYPE_CHECKING:
    from linmlp.potentials.linear import LinearPotential


def calibrate(data: TrainingSet, fit: Fit, settings: FitSettings, tell: Reporter) -> Uncertainty | None:
    """Return the uncertainty of a fit, if the settings ask for it.

    Parameters
    ----------
    data : TrainingSet
        What was fitted to.
    fit : Fit
        The fit, with its folded rows.
    settings : FitSettings
        `uncertainty`, seed and threads.
    tell : Reporter
        Is told.

    Returns
    -------
    Uncertainty or None
        Calibrated on the folds.
    """
    if not settings.uncertainty or fit.folded is None:
        return None
    tell.say("uncertainties: every training structure is evaluated by the potential that did not see it")
    candidate = settings.solver_choice(data.descriptor).candidate(fit.weights)
    candidate = replace(candidate, solver=ridge_of(candidate))
    return fit_uncertainty(
        data, fit.folded, candidate, fit.alpha, random_state=settings.random_state, n_jobs=settings.n_jobs
    )


def kept_uncertainty(potential: "LinearPotential") -> Uncertainty:
    """Return the uncertainty of a fitted potential.

    Parameters
    ----------
    potential : LinearPotential
        Fitted.

    Returns
    -------
    Uncertainty
        Calibrated.

    Raises
    ------
    SettingsError
        If it has none.
    """
    check_is_fitted(potential)
    uncertainty: Uncertainty | None = potential.uncertainty_
    if isinstance(potential.descriptor_, ImportedACE):
        refuse_rows("an uncertainty")
    if uncertainty is None:
        raise SettingsError(
            "this potential knows no uncertainties: it was fitted with uncertainty=False, merged with one that was, or "
            "read from a file that is too old to add structures to; fit it with uncertainty=True"
        )
    return uncertainty
