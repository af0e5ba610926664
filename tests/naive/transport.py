"""Mean-square displacements and their covariance, one window at a time, and walkers whose diffusion is known."""

import numpy as np
from ase import Atoms


def mean_square_displacement(runs, lag):
    """Mean over runs, particles and windows; runs have the shape (n_frames, n_particles, 3)."""
    squares = [
        sum((run[t + lag, i, x] - run[t, i, x]) ** 2 for x in range(run.shape[2]))
        for run in runs
        for t in range(len(run) - lag)
        for i in range(run.shape[1])
    ]
    return sum(squares) / len(squares)


def window_covariance(lags, gamma, lengths, n_particles, dimensions):
    """Covariance of mean-square displacements, over all pairs of windows; gamma is that of one direction."""
    covariance = np.zeros((len(lags), len(lags)))
    for a, n in enumerate(lags):
        for b, m in enumerate(lags):
            total, windows_n, windows_m = 0.0, 0, 0
            for length in lengths:
                windows_n += length + 1 - n
                windows_m += length + 1 - m
                for s in range(length + 1 - n):
                    for t in range(length + 1 - m):
                        # <(x(s+n) - x(s)) (x(t+m) - x(t))> from <(x(u) - x(v))²> = gamma(u - v)
                        c = 0.5 * (gamma(s + n - t) + gamma(s - t - m) - gamma(s + n - t - m) - gamma(s - t))
                        total += 2.0 * dimensions * c**2
            covariance[a, b] = total / (n_particles * windows_n * windows_m)
    return covariance


def walkers(formula, n_frames, steps, seed, length=12.0, start=None):
    """Frames of atoms that walk at random, wrapped into a cube; steps are standard deviations by element, Å."""
    rng = np.random.default_rng(seed)
    first = Atoms(formula)
    sizes = np.array([steps[s] for s in first.get_chemical_symbols()])
    begin = rng.random((len(first), 3)) * length if start is None else start
    walk = np.cumsum(rng.normal(size=(n_frames, len(first), 3)) * sizes[:, None], axis=0)
    return frames_of(formula, begin + walk, length)


def frames_of(formula, positions, length):
    """Frames wrapped into a cube."""
    frames = [Atoms(formula, p, cell=[length] * 3, pbc=True) for p in positions]
    for frame in frames:
        frame.wrap()
    return frames


def walk_about_center(formula, steps):
    """Slopes of mean-square displacements per frame by element, about the center of mass that walks itself, Å²."""
    atoms = Atoms(formula)
    symbols, masses = np.array(atoms.get_chemical_symbols()), atoms.get_masses()
    share = masses / masses.sum()
    variances = np.array([steps[s] ** 2 for s in symbols])
    about = variances - 2.0 * share * variances + np.sum(share**2 * variances)
    return {str(s): 3.0 * float(np.mean(about[symbols == s])) for s in sorted(set(symbols))}
