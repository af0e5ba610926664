"""Energies, forces and strain derivatives of several ACE potentials at once."""

from typing import Any

import numpy as np

from linmlp.descriptors.ace.committee_loops import evaluate_members
from linmlp.descriptors.ace.committee_records import Members
from linmlp.descriptors.ace.evaluator_records import Results, plain
from linmlp.descriptors.ace.lane_evaluation import LaneEvaluation, aligned_zeros
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.plan import make_layout
from linmlp.descriptors.simd import LANES
from linmlp.neighbors import Pairs
from linmlp.units import FloatArray


class AceCommittee(LaneEvaluation):
    """Energies, forces and strain derivatives of several linear combinations of the same ACE functions.

    Neighbors, radial and angular functions and the densities A are computed once for all members.

    Parameters
    ----------
    parameters : AceParameters
        Functions and radial functions.
    coefficients : ndarray of shape (n_members, n_features)
        Energy of an atom = its features @ coefficients[member], eV. Features whose coefficients are exactly 0 in all
        members cost nothing.
    """

    def __init__(self, parameters: AceParameters, coefficients: FloatArray) -> None:
        coefficients = np.asarray(coefficients, dtype=float)
        layout = make_layout(parameters, np.any(coefficients != 0.0, axis=0), LANES)
        super().__init__(parameters, layout.plan)
        self.n_members = len(coefficients)
        of_loops = layout.coefficients(coefficients)
        fields: tuple[Any, ...] = (self.n_members, *(values.shape[1] for values in of_loops), *of_loops)
        self._members = plain(Members(*fields))

    def compute(self, pairs: Pairs, n_threads: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies, forces and strain derivatives of every member.

        Parameters
        ----------
        pairs : Pairs
            Positions and neighbors, as for `AceEvaluator.compute`.
        n_threads : int, default=1
            Threads; small structures use fewer.

        Returns
        -------
        energies : ndarray of shape (n_members, n_atoms)
            Without reference energies, eV.
        forces : ndarray of shape (n_members, n_atoms, 3)
            In eV/Å.
        atom_strain_gradient : ndarray of shape (n_members, n_atoms, 6)
            Derivative of each atom's energy with respect to the strain, xx yy zz yz xz xy, eV.
        """
        n_members, n_atoms = self.n_members, len(pairs.numbers)
        n_threads = self._count_threads(pairs, n_threads)
        energies, strain = np.zeros((n_members, n_atoms)), np.zeros((n_members, n_atoms, 6))
        # One more row takes what padding adds.
        forces = np.zeros((n_threads, n_members, n_atoms + 1, 3))

        def loop(thread: int, *arguments: Any) -> None:
            (derivatives,) = aligned_zeros(int(self._plan.raw_size.max()) + (2 * self._sizes.n_l - 1) * LANES)
            evaluate_members(*arguments, self._members, derivatives, plain(Results(energies, forces[thread], strain)))

        self._run(pairs, n_threads, loop)
        total = forces[0] if n_threads == 1 else forces.sum(axis=0)
        return energies, total[:, :n_atoms], strain
