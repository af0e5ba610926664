"""Design rows of ACE: pairs in, features summed over atoms and their derivatives out."""

import numpy as np

from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.row_loops import count_blocks, rows_loop
from linmlp.descriptors.ace.row_plan import GROUP, make_row_plan
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray

ALIGNMENT = 64
NOTHING = np.empty(0)


class AceRows:
    """Features of ACE and their derivatives.

    Parameters
    ----------
    parameters : AceParameters
        Elements, functions and radial functions.
    """

    def __init__(self, parameters: AceParameters) -> None:
        self.parameters = parameters
        self.plan, self.counts = make_row_plan(parameters)
        self.stride = len(parameters.numbers) * GROUP * self.plan.n_groups

    def allocate(self, n_atoms: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return arrays for `write`, whose rows are padded.

        Parameters
        ----------
        n_atoms : int
            Number of atoms.

        Returns
        -------
        energy : ndarray of shape (n_features,)
            Not initialized, like the others.
        d_positions : ndarray of shape (3 n_atoms, n_features)
            View of an array with longer rows.
        d_strain : ndarray of shape (6, n_features)
            View of an array with longer rows.
        """
        n = self.parameters.n_features
        return np.empty(n), _aligned(3 * n_atoms, self.stride)[:, :n], _aligned(6, self.stride)[:, :n]

    def write(
        self, pairs: Pairs, energy: FloatArray, d_positions: FloatArray | None, d_strain: FloatArray | None
    ) -> None:
        """Overwrite the arrays with features summed over atoms and their derivatives.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure, sorted by center and the atomic number of the neighbor.
        energy : ndarray of shape (n_features,)
            Gets the sum of each feature over all atoms.
        d_positions : ndarray of shape (3 n_atoms, n_features) or None
            Gets d energy[f] / d position in row 3 i + axis, 1/Å.
        d_strain : ndarray of shape (6, n_features) or None
            Gets d energy[f] / d strain (symmetric), Voigt order.
        """
        with_rows = d_positions is not None or d_strain is not None
        rows = strain = NOTHING
        if with_rows:
            rows = self._flat(d_positions, 3 * len(pairs.numbers))
        if d_strain is not None:
            strain = self._flat(d_strain, 6)
        self._run(pairs, np.empty((0, 0)), energy, rows, strain, with_rows, d_strain is not None)
        for target, flat in ((d_positions, rows), (d_strain, strain)):
            if target is not None and not np.shares_memory(target, flat):
                target[:] = flat.reshape(-1, self.stride)[:, : target.shape[1]]

    def compute_features(self, pairs: Pairs) -> FloatArray:
        """Return the features of every atom.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure.

        Returns
        -------
        ndarray of shape (n_atoms, n_features)
            Zero outside of the block of the atom's own element.
        """
        features = np.empty((len(pairs.numbers), self.parameters.n_features))
        self._run(pairs, features, NOTHING, NOTHING, NOTHING, False, False)
        return features

    def _run(
        self, pairs: Pairs, features: FloatArray, energy: FloatArray, rows: FloatArray, strain: FloatArray,
        with_rows: bool, with_strain: bool,
    ) -> None:  # fmt: skip
        kinds = self.parameters.element_indices(pairs.numbers)
        max_blocks = count_blocks(kinds, pairs.first, pairs.j)
        rows_loop(
            self.plan, pairs.positions, kinds, pairs.first, pairs.j, pairs.shift, max_blocks, features, energy,
            rows, self.stride, strain, with_rows, with_strain,
        )  # fmt: skip

    def _flat(self, target: FloatArray | None, n_rows: int) -> FloatArray:
        """Return the padded memory behind an array from `allocate`, or new memory for any other array."""
        if target is not None and isinstance(target.base, np.ndarray) and target.strides == (8 * self.stride, 8):
            owner = target.base
            start, odd = divmod(target.ctypes.data - owner.ctypes.data, 8)
            if owner.flags.c_contiguous and owner.dtype == float and not odd:
                flat = owner.reshape(-1)[start : start + n_rows * self.stride]
                if len(flat) == n_rows * self.stride:
                    return flat
        return _aligned(n_rows, self.stride).reshape(-1)


def _aligned(n_rows: int, stride: int) -> FloatArray:
    """Return an uninitialized array (n_rows, stride) that starts at a cache line."""
    memory = np.empty(n_rows * stride + ALIGNMENT // 8)
    start = -memory.ctypes.data % ALIGNMENT // 8
    return memory[start : start + n_rows * stride].reshape(n_rows, stride)
