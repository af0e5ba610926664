"""Ridge regression for codes that give rows of a design matrix and leave the fit to the user.

Weights of energies and ridge strength are chosen by 5-fold cross-validation on the training structures, by the mean
of the logarithms of energy MAE and force RMSE, as linmlp chooses its own.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

N_FOLDS = 5
ENERGY_WEIGHTS = (50.0, 150.0, 450.0)
"""Factors of rows of energies per atom (eV); rows of forces (eV/Å) have 1, those of virials per atom (eV) 3."""

VIRIAL_WEIGHT = 3.0
ALPHAS = 10.0 ** np.arange(-12, -3)
"""Ridge strengths, for columns of unit norm."""


class Fold:
    """Rows of energies per atom as they are, those of forces and virials as Gram matrices of [X y]."""

    def __init__(self, n_columns):
        self.energy = []
        self.gram = np.zeros((n_columns + 1, n_columns + 1))  # forces, and virials with their weight
        self.force_gram = np.zeros_like(self.gram)
        self.n_forces = 0

    def add(self, energy_row, force_rows, virial_rows):
        """Add a structure; the last column of each is the label."""
        self.energy.append(energy_row)
        gram = force_rows.T @ force_rows
        self.force_gram += gram
        self.gram += gram + VIRIAL_WEIGHT**2 * virial_rows.T @ virial_rows
        self.n_forces += len(force_rows)


def solve(gram, alphas):
    """Return the coefficients of a Gram matrix of [X y] at each ridge strength."""
    scale = np.sqrt(np.diag(gram)[:-1])
    scale[scale == 0] = 1
    scaled, target = gram[:-1, :-1] / np.outer(scale, scale), gram[:-1, -1] / scale
    found = []
    for alpha in alphas:
        try:
            factor = cho_factor(scaled + alpha * np.eye(len(scaled)))
            found.append(cho_solve(factor, target) / scale)
        except np.linalg.LinAlgError:
            found.append(np.full(len(target), np.nan))
    return found


def errors_of(coefficients, fold):
    """Return absolute errors of energies per atom and the sum of squared errors of forces."""
    energy = np.array(fold.energy)
    v = np.append(coefficients, -1.0)
    return np.abs(energy @ v), v @ fold.force_gram @ v


def whole_gram(folds, energy_weight):
    """Return the Gram matrix of the rows of some folds."""
    energy = np.concatenate([fold.energy for fold in folds])
    return sum(fold.gram for fold in folds) + energy_weight**2 * energy.T @ energy


def fit(structures, rows_of, random_state=0):
    """Return coefficients; `rows_of` gives rows of energy per atom, forces and virial per atom of a structure."""
    groups = [str(atoms.info.get("config_type", "")) for atoms in structures]
    fold_of = np.empty(len(structures), dtype=int)
    rng = np.random.default_rng(random_state)
    for group in sorted(set(groups)):
        members = rng.permutation([k for k, own in enumerate(groups) if own == group])
        fold_of[members] = np.arange(len(members)) % N_FOLDS
    folds = None
    for atoms, k in zip(structures, fold_of, strict=True):
        rows = rows_of(atoms)
        folds = folds or [Fold(len(rows[0]) - 1) for _ in range(N_FOLDS)]
        folds[k].add(*rows)
    best = (np.inf, None, None)
    for weight in ENERGY_WEIGHTS:
        held_out = [solve(whole_gram(folds[:k] + folds[k + 1 :], weight), ALPHAS) for k in range(N_FOLDS)]
        for place, alpha in enumerate(ALPHAS):
            found = [errors_of(held_out[k][place], folds[k]) for k in range(N_FOLDS)]
            energy = np.mean(np.concatenate([absolute for absolute, _ in found]))
            force = np.sqrt(sum(squares for _, squares in found) / sum(fold.n_forces for fold in folds))
            score = 0.5 * np.log(energy) + 0.5 * np.log(force)
            if score < best[0]:
                best = (score, weight, alpha)
    _, weight, alpha = best
    return solve(whole_gram(folds, weight), [alpha])[0], {"energy_weight": weight, "alpha": float(alpha)}
