"""Windows, their covariance and the slope: against loops, closed forms and walkers of known diffusion."""

import numpy as np
import pytest
from scipy.signal import lfilter

from linmlp.evaluation.transport import regression
from linmlp.evaluation.transport.covariance import FORGOTTEN, WindowCovariance
from linmlp.evaluation.transport.displacements import Displacements, choose_lags
from linmlp.evaluation.transport.regression import fit_line, least_squares
from linmlp.evaluation.transport.start import find_start
from linmlp.exceptions import InputError
from tests.naive import transport as naive


def walk(n_particles, n_frames, seed):
    """Walkers whose mean-square displacement is 3 per frame."""
    return np.cumsum(np.random.default_rng(seed).normal(size=(n_frames, n_particles, 3)), axis=0)


def hops(n_particles, n_frames, rate, seed):
    """Particles that rarely hop by 2 Å along an axis."""
    rng = np.random.default_rng(seed)
    axes = np.eye(3)[rng.integers(0, 3, (n_frames, n_particles))] * rng.choice([-2.0, 2.0], (n_frames, n_particles, 1))
    return np.cumsum((rng.random((n_frames, n_particles, 1)) < rate) * axes, axis=0)


def together(n_pairs, n_frames, seed):
    """Particles of which two and two make the same steps."""
    return np.repeat(walk(n_pairs, n_frames, seed), 2, axis=1)


def persistent(n_particles, n_frames, memory, seed):
    """Particles whose velocities have a memory, and their slope per frame at long times."""
    factor = np.exp(-1.0 / memory)
    kicks = np.random.default_rng(seed).normal(size=(n_frames, n_particles, 3)) * np.sqrt(1.0 - factor**2)
    return np.cumsum(lfilter([1.0], [1.0, -factor], kicks, axis=0), axis=0), 3.0 * (1.0 + factor) / (1.0 - factor)


def line_of(displacements, start):
    """Slope with error in closed form, from the same covariance."""
    lags = choose_lags(start, displacements.shortest // 4)
    means = displacements.means(lags)
    covariance = regression._covariance(displacements, lags, means)
    if displacements.runs[0].shape[1] > 1:
        covariance += regression._common(displacements.standard_error(start), covariance, lags)
    line, of_line = least_squares(lags, means, covariance)
    return line[0], np.sqrt(of_line[0, 0])


def test_mean_square_displacements_are_those_of_the_loops():
    runs = [walk(3, 40, 0), walk(3, 55, 1)]
    found = Displacements(runs)
    for lag in (1, 2, 7, 20):
        assert found.mean(lag) == pytest.approx(naive.mean_square_displacement(runs, lag), rel=1e-12)
    assert found.shortest == 39
    straight = Displacements([np.arange(30.0)[:, None, None] * np.array([1.0, 2.0, -2.0])])
    np.testing.assert_allclose(straight.means(np.array([1, 3, 10])), [9.0, 81.0, 900.0])


def test_covariance_is_that_of_the_loops():
    lags, lengths = np.array([2, 3, 7]), [20, 30]
    slope, offset = 0.7, 0.4

    def gamma(steps):
        steps = abs(steps)
        return (slope * steps + offset * (1.0 - np.exp(-steps / (FORGOTTEN * lags[0])))) / 3.0

    found = WindowCovariance(lags, lengths, n_particles=5).of_line(slope, offset)
    np.testing.assert_allclose(found, naive.window_covariance(lags, gamma, lengths, 5, 3), rtol=1e-6)
    # One window of each length: the squares of two normal displacements that share a part.
    single = WindowCovariance(np.array([10]), [10], n_particles=1).of_line(3.0, 0.0)
    assert single[0, 0] == pytest.approx(2.0 / 3.0 * 30.0**2)


def test_covariance_is_that_of_walkers():
    lags = np.array([2, 5, 20])
    means = np.array([Displacements([walk(1, 101, seed)]).means(lags) for seed in range(2000)])
    wanted = WindowCovariance(lags, [100], n_particles=1).of_line(3.0, 0.0)
    np.testing.assert_allclose(np.cov(means.T), wanted, rtol=0.15)  # 2000 samples: each within some 5 %


def test_kinisi_samples_the_closed_form_and_leaves_the_global_generator_alone():
    displacements = Displacements([walk(20, 800, 0)])
    np.random.seed(5)  # noqa: NPY002 - what kinisi seeds, too
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    found = fit_line(displacements, 2, normal=False)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    slope, error = line_of(displacements, 2)
    assert found.slope.value == pytest.approx(slope, abs=0.15 * error)
    assert found.slope.error == pytest.approx(error, rel=0.12)
    again = fit_line(displacements, 2, normal=False)
    np.testing.assert_array_equal(found.slopes, again.slopes)


@pytest.mark.parametrize(
    ("make", "slope", "starts"),
    [
        (lambda seed: walk(1, 600, seed), 3.0, (1, 8)),
        (lambda seed: walk(12, 600, seed), 3.0, (8,)),
        (lambda seed: hops(12, 600, 0.01, seed), 0.04, (8,)),
        (lambda seed: together(6, 600, seed), 3.0, (8,)),
        (lambda seed: persistent(12, 600, 4.0, seed)[0], persistent(1, 2, 4.0, 0)[1], (25,)),
    ],
    ids=["one", "many", "hops", "together", "persistent"],
)
def test_errors_are_honest(make, slope, starts):
    for start in starts:
        lines = [line_of(Displacements([make(seed)]), start) for seed in range(50)]
        z = np.array([(value - slope) / error for value, error in lines])
        # Of 50: the mean has a standard error of 0.14, the standard deviation one of 0.1.
        assert abs(z.mean()) < 0.5
        assert 0.7 < z.std() < 1.3


def test_the_start_is_found_behind_the_memory():
    runs, slope = persistent(50, 2000, 10.0, 1)
    start, found = find_start([Displacements([runs])])
    assert found
    assert 30 <= start <= 125
    value, error = line_of(Displacements([runs]), start)
    assert abs(value - slope) < 3.0 * error
    start, found = find_start([Displacements([walk(50, 2000, 1)])])
    assert found
    assert start <= 10
    _, found = find_start([Displacements([persistent(300, 200, 10.0, 1)[0]])])
    assert not found


def test_nothing_moves():
    line = fit_line(Displacements([np.zeros((100, 2, 3))]), 2, normal=True)
    assert line.slope == (0.0, 0.0)


def test_without_kinisi(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "kinisi.diffusion", None)
    with pytest.raises(InputError, match=r"pip install linmlp\[transport\]"):
        fit_line(Displacements([walk(2, 100, 0)]), 2, normal=True)
