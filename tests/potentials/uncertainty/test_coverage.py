"""Coverage and interval scores by hand."""

import numpy as np
import pytest
from scipy.stats import norm

from linmlp.exceptions import SettingsError
from linmlp.potentials.uncertainty.coverage import CoverageTable, interval_score


def test_score_by_hand():
    """Width 2 when inside; plus 2/a times the miss when not."""
    np.testing.assert_allclose(interval_score(np.ones(3), np.array([0.0, 1.0, -1.5]), 0.8), [2.0, 2.0, 7.0])


def test_the_true_quantile_has_the_best_expected_score():
    residual = np.random.default_rng(0).normal(size=200000)
    best = norm.ppf(0.84)
    scores = [interval_score(np.full(len(residual), f * best), residual, 0.68).mean() for f in (0.8, 1.0, 1.25)]
    assert scores[1] < min(scores[0], scores[2])


@pytest.fixture
def table():
    residuals = [np.array([[0.5, -2.0], [0.1, 0.0]]), np.array([[3.0]]), np.empty((0, 2))]
    widths = {0.68: [np.array([[1.0], [1.0]]), np.array([[4.0]]), np.empty((0, 1))]}
    return CoverageTable.of(residuals, widths, ["a", "b", "b"], {0.68: 2.0})


def test_coverage_by_group(table):
    assert table.get(0.68, "a")["coverage"] == 0.75
    assert table.get(0.68, "b")["coverage"] == 1.0
    assert table.get(0.68)["coverage"] == 0.8
    assert table.get(0.68)["n"] == 5
    assert table.get(0.68, "b")["n_structures"] == 2


def test_gain_against_constant_width(table):
    row = table.get(0.68, "a")
    assert row["score"] == pytest.approx(2.0 + 2.0 / 0.32 / 4)
    assert row["constant_score"] == pytest.approx(4.0)
    assert row["gain"] == pytest.approx(1.0 - row["score"] / 4.0)


def test_text_and_frame_have_all_rows(table):
    assert len(str(table).splitlines()) == 4
    assert list(table.to_frame()["group"]) == ["a", "b", "total"]


def test_errors(table):
    with pytest.raises(SettingsError, match=r"no row for level 0\.5"):
        table.get(0.5)
    with pytest.raises(SettingsError, match="residuals of 1 structures, but 2 groups"):
        CoverageTable.of([np.ones(3)], {0.68: [np.ones(3)]}, ["a", "b"], {0.68: 1.0})
    with pytest.raises(SettingsError, match="it must be between 0 and 1"):
        interval_score(np.ones(1), np.ones(1), 68)
