"""Forces that do not add up to zero."""

import numpy as np

from linmlp.structures.data_checks.contract import DataSet, Finding

NET_FORCE = 0.02
"""Norm of the sum of forces over the root of the number of atoms (eV/Å) that no converged calculation leaves: grids of
plane-wave and real-space codes leave millielectronvolts."""

NOTABLE = 0.004
"""The same from which on it is mentioned."""


def check_net_forces(data: DataSet) -> list[Finding]:
    """Return structures whose forces have a sum, where no component is masked."""
    found = []
    for index, labels in enumerate(data.labels):
        if labels.forces is None or not (labels.force_weight > 0.0).all():
            continue
        net = float(np.linalg.norm(labels.forces.sum(axis=0)) / np.sqrt(labels.n_atoms))
        if net > NOTABLE:
            seen = f"the forces add up to {net * np.sqrt(labels.n_atoms):.3g} eV/Å ({labels.n_atoms} atoms)"
            wanted = f"below {NOTABLE * np.sqrt(labels.n_atoms):.2g} eV/Å: nothing pushes a cell as a whole"
            advice = "were atoms held fixed, forces cut off or set to zero? Read them again, or mask them (force_mask)"
            severity = "error" if net > NET_FORCE else "warning"
            found.append(data.finding(severity, "net forces", (index,), seen, wanted, advice))
    return found
