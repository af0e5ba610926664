r"""Elastic constants from labelled strained structures, of any strains, with standard errors.

The energy per volume of the reference is a polynomial of the Green strain,

.. math:: W(E) = \sigma_0 : E + \tfrac12 E : C : E + \text{third and higher order},

of which only combinations that the point group allows are kept. Its derivative is the second Piola-Kirchhoff stress, to
which it is fitted by least squares: for a cubic crystal 1 + 3 + 6 + 11 coefficients up to the fourth order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from ase import Atoms

from linmlp.evaluation.mechanics.crystal import Model, crystal
from linmlp.evaluation.mechanics.differences import as_dict
from linmlp.evaluation.mechanics.elastic_tensor import MANDEL, NAMES, ElasticTensor, mandel_rotation
from linmlp.evaluation.mechanics.strains import ENGINEERING, green_strain, piola_stress
from linmlp.evaluation.mechanics.symmetry import rotations_of
from linmlp.exceptions import LabelError, SettingsError, StructureError
from linmlp.structures import read_labels
from linmlp.units import EV_PER_A3_IN_GPA, FloatArray, IntArray

INVARIANT = 1e-6
"""Eigenvalues of the projection on invariant polynomials that differ from 1 by less than this are 1."""

DETERMINED = 1e-6
"""Singular values of the scaled rows below this part of the largest one determine nothing."""


@dataclass(frozen=True)
class ElasticRegression:
    """Constants regressed from stresses of strained structures.

    Parameters
    ----------
    tensor : ElasticTensor
        At the reference cell, GPa.
    errors : ndarray of shape (6, 6)
        Standard errors, from the residual, GPa.
    stress : ndarray of shape (6,)
        Regressed stress on the reference cell, GPa.
    residual : float
        Root mean square over stress components, GPa; what the polynomial lacks counts as noise.
    n_structures : int
        How many were used.
    largest_strain : float
        Largest norm of a Green strain (Frobenius).
    order : int
        Order of the polynomial of the energy.
    moved : float
        Root mean square of displacements of atoms from the fractional positions of the reference cell, Å: 0 says that
        ions were clamped.
    """

    tensor: ElasticTensor
    errors: FloatArray
    stress: FloatArray
    residual: float
    n_structures: int
    largest_strain: float
    order: int
    moved: float

    @property
    def constants(self) -> dict[str, tuple[float, float]]:
        """Values and standard errors by name, GPa."""
        errors = self.errors[np.triu_indices(6)]
        return {name: (self.tensor.constants[name], float(error)) for name, error in zip(NAMES, errors, strict=True)}

    def __str__(self) -> str:
        told = (
            f"{self.n_structures} structures, strains up to {self.largest_strain:.3f}, energy of order {self.order}, "
            f"residual {self.residual:.3f} GPa, ions moved by {self.moved:.3f} Å from clamped positions\n"
        )
        shown = [f"{n} {v:.2f} ± {e:.2f}" for n, (v, e) in self.constants.items() if abs(v) > 3.0 * e + 1e-6]
        return told + ", ".join(shown) + " GPa"

    def to_dict(self) -> dict[str, Any]:
        """Return everything.

        Returns
        -------
        dict
            Plain JSON types.
        """
        return as_dict(self)


def regress_elastic(
    structures: Sequence[Atoms],
    ground: Atoms,
    model: Model | None = None,
    max_strain: float = 0.1,
    order: int = 4,
) -> ElasticRegression:
    """Return elastic constants from the stresses of strained structures.

    Parameters
    ----------
    structures : sequence of ase.Atoms
        Strained copies of one cell, which may be a supercell of `ground`.
    ground : ase.Atoms
        The unstrained crystal; its axes are those of the tensor, its point group that of the polynomial.
    model : LinearPotential or ASE calculator, optional
        Computes the stresses, of exactly these structures; by default the labels are used.
    max_strain : float, default=0.1
        Structures with a larger norm of the Green strain are left out.
    order : int, default=4
        Of the energy as a polynomial of the strain: 2 (linear elasticity) to 5.

    Returns
    -------
    ElasticRegression
        Statement by ``str``.

    Raises
    ------
    StructureError
        If a structure is no strained copy of the crystal.
    LabelError
        If stresses are missing.
    SettingsError
        If there are too few structures for the order.
    """
    if not (isinstance(order, int) and 2 <= order <= 5):
        raise SettingsError(f"order={order!r}; give 2, 3, 4 or 5")
    found = [_compare_cells(index, atoms, ground) for index, atoms in enumerate(structures)]
    strains = np.array([green_strain(gradient) for gradient, _ in found]).reshape(-1, 6)
    sizes = np.linalg.norm(strains / MANDEL, axis=1)
    kept = np.flatnonzero(sizes <= max_strain).tolist()
    if not len(kept):
        raise SettingsError(f"none of {len(structures)} structures is strained by less than max_strain={max_strain}")
    stresses = _stresses([structures[i] for i in kept], model) * EV_PER_A3_IN_GPA
    piola = [piola_stress(found[i][0], stress) for i, stress in zip(kept, stresses, strict=True)]
    powers, basis = _polynomials(rotations_of(ground), order)
    rows = np.concatenate([_gradients(strains[i] / ENGINEERING, powers) @ basis for i in kept])
    # Mandel's components, so that a residual counts as the norm of the tensor.
    target = np.concatenate([stress * MANDEL for stress in piola])
    wanted = _second_order(powers, basis)
    coefficients, covariance, residual = _least_squares(
        rows, target, wanted[np.linalg.norm(wanted, axis=1) > INVARIANT]
    )
    second = (wanted @ coefficients).reshape(6, 6)
    spread = np.sqrt(np.einsum("ij,jk,ik->i", wanted, covariance, wanted)).reshape(6, 6)
    first = _gradients(np.zeros(6), powers) @ basis @ coefficients / MANDEL
    moved = float(np.sqrt(np.mean([found[i][1] ** 2 for i in kept])))
    return ElasticRegression(
        ElasticTensor(second), spread, first, residual, len(kept), float(sizes[kept].max()), order, moved
    )


def _stresses(structures: Sequence[Atoms], model: Model | None) -> FloatArray:
    if model is not None:
        return np.array([crystal(model, atoms).get_stress() for atoms in structures]).reshape(-1, 6)
    labels = read_labels(structures)
    missing = [index for index, item in enumerate(labels) if item.stress is None]
    if missing:
        raise LabelError(f"{len(missing)} of {len(structures)} strained structures have no stress, which is regressed")
    return np.array([item.stress for item in labels])


def _compare_cells(index: int, atoms: Atoms, ground: Atoms) -> tuple[FloatArray, float]:
    """Return the deformation gradient and how far atoms have moved from clamped positions (root mean square, Å)."""
    repeats = np.rint(atoms.cell.lengths() / ground.cell.lengths()).astype(int)
    if repeats.min() < 1 or int(np.prod(repeats)) * len(ground) != len(atoms):
        raise StructureError(
            f"structure {index}: {len(atoms)} atoms in a cell of {np.round(atoms.cell.lengths(), 2).tolist()} Å are no "
            f"strained copies of {len(ground)} atoms in {np.round(ground.cell.lengths(), 2).tolist()} Å; give a ground "
            "state with cell vectors along the same directions"
        )
    host = ground.repeat(tuple(int(n) for n in repeats))
    gradient = np.linalg.solve(host.cell.array, atoms.cell.array).T
    return gradient, _moved(atoms, host)


def _moved(atoms: Atoms, host: Atoms) -> float:
    """Return the root mean square distance of atoms from the closest ones of the same element in the host."""
    here, there = atoms.get_scaled_positions(), host.get_scaled_positions()
    same = atoms.numbers[:, None] == host.numbers
    anchors = np.flatnonzero(same[0])
    best = np.inf
    for anchor in anchors:  # origins differ by a translation, of which the atoms of one element are tried
        apart = (here - here[0])[:, None] - (there - there[anchor])
        apart -= np.round(apart)
        squares = np.where(same, ((apart @ atoms.cell.array) ** 2).sum(axis=2), np.inf)
        nearest = apart[np.arange(len(here)), squares.argmin(axis=1)] @ atoms.cell.array
        best = min(best, float(np.sqrt(((nearest - nearest.mean(axis=0)) ** 2).sum(axis=1).mean())))
    return best


def _polynomials(rotations: FloatArray, order: int) -> tuple[IntArray, FloatArray]:
    """Return the powers of the monomials of orders 1 to `order` and a basis of the invariant combinations of them."""
    rng = np.random.default_rng(0)
    actions = np.unique(np.round([mandel_rotation(rotation) for rotation in rotations], 10), axis=0)
    powers, blocks = [], []
    for degree in range(1, order + 1):
        terms = [np.bincount(term, minlength=6) for term in combinations_with_replacement(range(6), degree)]
        block = np.array(terms, dtype=np.int64)
        points = rng.normal(size=(2 * len(block), 6))
        values = _monomials(points, block)
        mean = np.mean([_monomials(points @ action.T, block) for action in actions], axis=0)
        projection = np.linalg.lstsq(values, mean, rcond=None)[0]
        # In the scale of multinomial coefficients the projection is symmetric.
        scale = np.sqrt(_multinomials(block))
        projection = projection * scale[None, :] / scale[:, None]
        eigenvalues, vectors = np.linalg.eigh((projection + projection.T) / 2.0)
        powers.append(block)
        blocks.append(vectors[:, eigenvalues > 1.0 - INVARIANT] * scale[:, None])
    total = np.zeros((sum(map(len, powers)), sum(block.shape[1] for block in blocks)))
    row = column = 0
    for block in blocks:
        total[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    return np.concatenate(powers), total


def _multinomials(powers: IntArray) -> FloatArray:
    from scipy.special import gammaln

    return np.asarray(np.exp(gammaln(powers.sum(axis=1) + 1.0) - gammaln(powers + 1.0).sum(axis=1)))


def _monomials(points: FloatArray, powers: IntArray) -> FloatArray:
    return np.asarray(np.prod(points[:, None, :] ** powers[None, :, :], axis=2))


def _gradients(tensor_strain: FloatArray, powers: IntArray) -> FloatArray:
    """Return derivatives of the monomials of Mandel's strain at one strain, shape (6, n_monomials)."""
    point = np.asarray(tensor_strain) * MANDEL
    rows = []
    for axis in range(6):
        lower = powers.copy()
        lower[:, axis] = np.maximum(lower[:, axis] - 1, 0)
        rows.append(powers[:, axis] * np.prod(point**lower, axis=1))
    return np.array(rows)


def _least_squares(rows: FloatArray, target: FloatArray, wanted: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return coefficients, their covariance, and the root mean square residual.

    Strains of few kinds leave combinations of higher coefficients undetermined, which is no harm as long as the
    `wanted` combinations (rows) are determined.
    """
    scale = np.linalg.norm(rows, axis=0)
    scale[scale == 0.0] = 1.0
    left, values, right = np.linalg.svd(rows / scale, full_matrices=False)
    kept = values > DETERMINED * values[0]
    left, values, right = left[:, kept], values[kept], right[kept]
    targets = wanted / scale
    lost = np.linalg.norm(targets - targets @ right.T @ right, axis=1)
    if len(target) <= len(values) or (lost > 1e-6 * np.linalg.norm(targets, axis=1)).any():
        raise SettingsError(
            f"{len(target) // 6} structures within max_strain do not determine all elastic constants together with the "
            "higher orders; give structures with more kinds of strain, a lower order or a larger max_strain"
        )
    coefficients = right.T @ (left.T @ target / values) / scale
    residual = target - rows @ coefficients
    variance = float(residual @ residual) / (len(target) - len(values))
    half = right.T / values / scale[:, None]
    return coefficients, half @ half.T * variance, float(np.sqrt(np.mean(residual**2)))


def _second_order(powers: IntArray, basis: FloatArray) -> FloatArray:
    """Return the rows that turn coefficients into the tensor in Voigt's form, shape (36, n_coefficients)."""
    rows = []
    for i in range(6):
        for j in range(6):
            at = int(np.flatnonzero((powers == np.bincount([i, j], minlength=6)).all(axis=1))[0])
            rows.append(basis[at] * (2.0 if i == j else 1.0) / (MANDEL[i] * MANDEL[j]))
    return np.array(rows)
