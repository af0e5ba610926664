"""Selection of features by refitting every candidate."""

import numpy as np


def ridge(X, y, columns, alpha):
    """Return coefficients and penalized loss of some columns by one augmented least-squares problem."""
    columns = list(columns)
    A = np.vstack([X[:, columns], np.sqrt(alpha) * np.diag(np.linalg.norm(X[:, columns], axis=0))])
    b = np.r_[y, np.zeros(len(columns))]
    part = np.linalg.lstsq(A, b, rcond=None)[0]
    coef = np.zeros(X.shape[1])
    coef[columns] = part
    return coef, float(np.sum((A @ part - b) ** 2))


def forward_selection(X, y, size, alpha):
    chosen = []
    while len(chosen) < size:
        others = [j for j in range(X.shape[1]) if j not in chosen]
        chosen.append(min(others, key=lambda j: ridge(X, y, [*chosen, j], alpha)[1]))
    return chosen


def matching_pursuit(X, y, size, alpha):
    chosen = []
    norms = np.linalg.norm(X, axis=0)
    while len(chosen) < size:
        coef = ridge(X, y, chosen, alpha)[0] if chosen else np.zeros(X.shape[1])
        merit = np.abs(X.T @ (y - X @ coef)) / norms
        merit[chosen] = -1.0
        chosen.append(int(np.argmax(merit)))
    return chosen


def backward_selection(X, y, size, alpha):
    kept = list(range(X.shape[1]))
    while len(kept) > size:
        kept.remove(min(kept, key=lambda j: ridge(X, y, [k for k in kept if k != j], alpha)[1]))
    return kept
