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


def cost(costs, chosen):
    """Return the own costs of some features and that of each part that one of them needs."""
    needed = {part for j in chosen for part in costs.part[costs.first[j] : costs.first[j + 1]].tolist()}
    return sum(costs.own[j] for j in chosen) + sum(costs.parts[part] for part in needed)


def forward_selection_by_cost(X, y, size, alpha, costs, power):
    """Largest drop of the loss over a power of what a feature adds to the cost, both from scratch in every step."""
    chosen = []
    while len(chosen) < size:
        loss = ridge(X, y, chosen, alpha)[1]

        def merit(j, loss=loss):
            drop = loss - ridge(X, y, [*chosen, j], alpha)[1]
            return drop / (cost(costs, [*chosen, j]) - cost(costs, chosen)) ** power

        chosen.append(max((j for j in range(X.shape[1]) if j not in chosen), key=merit))
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
