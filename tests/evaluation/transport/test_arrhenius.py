"""Arrhenius fits of coefficients whose activation energy is known."""

import json

import numpy as np
import pytest
from ase.units import kB

from linmlp.evaluation.md import Estimate
from linmlp.evaluation.transport import fit_arrhenius, plot_arrhenius
from linmlp.exceptions import SettingsError

TEMPERATURES = np.array([600.0, 700.0, 850.0, 1000.0])
ENERGY, PREFACTOR, SPREAD = 0.3, 2e-3, np.array([0.2, 0.1, 0.05, 0.05])


def exact(temperature):
    return PREFACTOR * np.exp(-ENERGY / (kB * temperature))


def sample(seed):
    values = exact(TEMPERATURES) * np.exp(SPREAD * np.random.default_rng(seed).normal(size=4))
    return [Estimate(v, s * v) for v, s in zip(values, SPREAD, strict=True)]


def test_exact_points():
    fit = fit_arrhenius(TEMPERATURES, [Estimate(exact(t), 0.1 * exact(t)) for t in TEMPERATURES])
    assert fit.activation_energy.value == pytest.approx(ENERGY, rel=1e-9)
    assert np.exp(fit.log_prefactor.value) == pytest.approx(PREFACTOR, rel=1e-9)
    assert fit.at(300.0).value == pytest.approx(exact(300.0), rel=1e-9)
    assert fit.probability == pytest.approx(1.0)
    _, covariance = np.polyfit(1.0 / (kB * TEMPERATURES), np.log(fit.values), 1, w=np.full(4, 10.0), cov="unscaled")
    assert fit.activation_energy.error == pytest.approx(np.sqrt(covariance[0, 0]))
    assert "activation energy 0.300 ±" in str(fit)
    json.dumps(fit.to_dict(), allow_nan=False)
    assert plot_arrhenius(fit).get_yscale() == "log"


def test_errors_are_honest():
    fits = [fit_arrhenius(TEMPERATURES, sample(seed)) for seed in range(300)]
    z = np.array([(f.activation_energy.value - ENERGY) / f.activation_energy.error for f in fits])
    far = [f.at(400.0) for f in fits]
    z_far = np.array([np.log(x.value / exact(400.0)) * x.value / x.error for x in far])
    for scores in (z, z_far):
        assert abs(scores.mean()) < 0.2
        assert scores.std() == pytest.approx(1.0, abs=0.15)
    # A worse fit by chance: evenly spread between 0 and 1 if the law holds.
    assert np.mean([f.probability for f in fits]) == pytest.approx(0.5, abs=0.07)


def test_points_off_the_line_are_told():
    bent = [Estimate(v, 0.02 * v) for v in exact(TEMPERATURES) * [1.0, 2.0, 2.0, 1.0]]
    assert "do not lie on a line" in str(fit_arrhenius(TEMPERATURES, bent))


def test_what_cannot_be_used():
    good = [Estimate(1e-5, 1e-6)] * 2
    for temperatures, values, message in [
        ([500.0], good[:1], "two different ones"),
        ([500.0, 500.0], good, "two different ones"),
        ([500.0, 600.0], good[:1], "for 1 values"),
        ([500.0, -600.0], good, "two different ones"),
        ([500.0, 600.0], [good[0], Estimate(1e-6, 1e-6)], "D at 600 K is .* not known to be above zero"),
        ([500.0, 600.0], [good[0], Estimate(1e-6, 0.0)], "not known to be above zero"),
    ]:
        with pytest.raises(SettingsError, match=message):
            fit_arrhenius(temperatures, values)
    fit = fit_arrhenius([500.0, 600.0], good)
    assert np.isnan(fit.probability)
    assert fit.to_dict()["probability"] is None
    with pytest.raises(SettingsError, match="above 0 K"):
        fit.at(0.0)
