"""Features of atoms that scatter around a mean of their structure."""

import numpy as np


def scattered_structures(seed, n, shift=0.0, n_atoms=20, width=5):
    """One array (n_atoms, width) per structure."""
    rng = np.random.default_rng(seed)
    means = 1.0 + 0.2 * rng.normal(size=(n, 1, width)) + shift
    return list(means + rng.normal(size=(n, n_atoms, width)))
