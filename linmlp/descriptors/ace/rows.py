"""Design rows of ACE: pairs in, features summed over atoms and their derivatives out."""

import threading
from collections.abc import Callable

import numpy as np

from linmlp.descriptors.ace.center_rows_loops import center_rows_loop
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.row_center_loops import features_loop
from linmlp.descriptors.ace.row_layout import GROUP, RowCounts, RowPlan
from linmlp.descriptors.ace.row_loops import rows_loop
from linmlp.descriptors.ace.row_neighbor_loops import count_blocks
from linmlp.descriptors.ace.row_plan import make_row_plan
from linmlp.descriptors.ace.row_pull_loops import pull_loop, pull_members_loop
from linmlp.descriptors.ace.row_work import RowWork, aligned, make_work
from linmlp.descriptors.center_rows import CenterRows
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray, IntArray

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
        self.plan, self.counts = self._make_plan()
        self.stride = len(parameters.numbers) * GROUP * self.plan.n_groups
        self._local = threading.local()

    def _make_plan(self) -> tuple[RowPlan, RowCounts]:
        """Return the arrays of the loops."""
        return make_row_plan(self.parameters)

    def allocate(self, n_atoms: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return arrays for `write`, whose rows are padded.

        Parameters
        ----------
        n_atoms : int
            Number of atoms.

        Returns
        -------
        energy : ndarray of shape (n_features,)
            Zeros, like the others.
        d_positions : ndarray of shape (3 n_atoms, n_features)
            View of an array with longer rows.
        d_strain : ndarray of shape (6, n_features)
            View of an array with longer rows.
        """
        n = self.parameters.n_features
        return np.zeros(n), self._padded(3 * n_atoms), self._padded(6)

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
        if d_positions is None and d_strain is None:
            self._run(features_loop, pairs, energy[None, :])
            return
        n_atoms = len(pairs.numbers)
        rows = self._flat(d_positions, 3 * n_atoms)
        strain = NOTHING if d_strain is None else self._flat(d_strain, 6)
        self._run(rows_loop, pairs, energy, rows, self.stride, strain, d_strain is not None)
        for target, flat in ((d_positions, rows), (d_strain, strain)):
            if target is not None and not np.may_share_memory(target, flat):
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
        self._run(features_loop, pairs, features)
        return features

    def of_centers(self, pairs: Pairs, centers: IntArray) -> CenterRows:
        """Return features and derivatives of single centers.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure.
        centers : ndarray of int, shape (n_centers,)
            Atoms of one element.

        Returns
        -------
        CenterRows
            With the functions of that element alone.
        """
        kinds = self.parameters.element_indices(pairs.numbers)
        n, stride = self.plan.n_functions, GROUP * self.plan.n_groups
        most = int(np.sum(pairs.first[centers + 1] - pairs.first[centers])) + len(centers)
        features = np.empty((len(centers), n))
        rows, strain = aligned(3 * most * stride), aligned(6 * len(centers) * stride)
        slots, atoms = np.empty(len(centers) + 1, np.int64), np.empty(most, np.int64)
        place = np.full(len(kinds), -1, np.int64)
        work = self._work(max(count_blocks(kinds, pairs.first, pairs.j), 1))
        center_rows_loop(
            self.plan, pairs.positions, kinds, pairs.first, pairs.j, pairs.shift, np.asarray(centers, dtype=np.int64),
            work, features, rows, stride, strain, slots, atoms, place,
        )  # fmt: skip
        d_positions = rows[: 3 * slots[-1] * stride].reshape(-1, stride)[:, :n]
        return CenterRows(features, slots, atoms[: slots[-1]], d_positions, strain.reshape(-1, stride)[:, :n])

    def pull_back(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces and strain gradients of an energy whose derivatives with respect to the features are given.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure.
        d_energy_d_features : ndarray of shape (n_atoms, n_features)
            Derivatives of the energy with respect to the features of every atom, eV.

        Returns
        -------
        forces : ndarray of shape (n_atoms, 3)
            In eV/Å.
        atom_strain_gradient : ndarray of shape (n_atoms, 6)
            Derivatives with respect to the strain (Voigt), eV; what the features of an atom contribute is its own.
        """
        n_atoms = len(pairs.numbers)
        forces, strain = np.empty((n_atoms, 3)), np.empty((n_atoms, 6))
        weights = np.ascontiguousarray(d_energy_d_features, dtype=float)
        self._run(pull_loop, pairs, weights, forces, strain)
        return forces, strain

    def pull_back_own(self, pairs: Pairs, d_energy_d_features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return forces and strain gradients of several energies; densities are computed once for all.

        Parameters
        ----------
        pairs : Pairs
            Pairs of a structure.
        d_energy_d_features : ndarray of shape (n_members, n_atoms, n_functions)
            Derivatives with respect to the functions around the element of each atom, eV.

        Returns
        -------
        forces : ndarray of shape (n_members, n_atoms, 3)
            In eV/Å.
        atom_strain_gradient : ndarray of shape (n_members, n_atoms, 6)
            As of `pull_back`.
        """
        weights = np.ascontiguousarray(d_energy_d_features, dtype=float)
        n_members, n_atoms, _ = weights.shape
        forces, strain = np.empty((n_members, n_atoms, 3)), np.empty((n_members, n_atoms, 6))
        self._run(pull_members_loop, pairs, weights, forces, strain)
        return forces, strain

    def _run(self, loop: Callable[..., None], pairs: Pairs, *arguments: object) -> None:
        """Call a loop with the structure, its centers sorted by element, and work arrays."""
        kinds = self.parameters.element_indices(pairs.numbers)
        order = np.argsort(kinds, kind="stable")
        work = self._work(max(count_blocks(kinds, pairs.first, pairs.j), 1))
        loop(self.plan, pairs.positions, kinds, pairs.first, pairs.j, pairs.shift, order, work, *arguments)

    def _work(self, max_blocks: int) -> RowWork:
        """Return the work arrays of this thread; new memory for each structure would cost its page faults."""
        if max_blocks > getattr(self._local, "max_blocks", 0):
            self._local.max_blocks = max_blocks
            self._local.work = make_work(self.plan, max_blocks)
        work: RowWork = self._local.work
        return work

    def __reduce__(self) -> tuple[type["AceRows"], tuple[AceParameters]]:
        """Return how to make a copy; work arrays stay behind."""
        return type(self), (self.parameters,)

    def _padded(self, n_rows: int) -> FloatArray:
        return aligned(n_rows * self.stride).reshape(n_rows, self.stride)[:, : self.parameters.n_features]

    def _flat(self, target: FloatArray | None, n_rows: int) -> FloatArray:
        """Return the padded memory behind an array from `allocate`, or new memory for any other array."""
        if target is not None and isinstance(target.base, np.ndarray) and target.strides == (8 * self.stride, 8):
            owner = target.base
            start, odd = divmod(target.ctypes.data - owner.ctypes.data, 8)
            if owner.flags.c_contiguous and owner.dtype == float and not odd:
                flat = owner.reshape(-1)[start : start + n_rows * self.stride]
                if len(flat) == n_rows * self.stride:
                    return flat
        return aligned(n_rows * self.stride)
