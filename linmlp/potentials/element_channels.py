r"""Learnt channels of elements: labelled structures in, the matrix that mixes the densities of elements out.

Channels (`linmlp.descriptors.ace.mixing`) lose least when the functions that are left can still follow the labels. What
tells is order 2, the lowest in which channels matter. In the basis of all elements up to a low degree, together with
the pair term, an energy of channels W has the coefficients

.. math:: c_{z, en, e'n', l} = \sum_{cc'} D_{z, cn, c'n', l} W_{ce} W_{c'e'}, \qquad c = T(W) D,

so that its loss follows from the compressed system of that basis, which is made once from a sample of the structures:

.. math:: J(W) = y^2 + \min_D \left[(TD)^T H \, TD - 2 b^T T D\right], \quad H = G + \alpha \, \mathrm{diag}\, G, \qquad
          \frac{\partial J}{\partial W} = 2 \, (H T D - b)^T \frac{\partial T}{\partial W} D.

J depends on what the rows of W span alone. It is minimized by quasi-Newton steps from several starts; the rows are made
orthogonal at the end. Cross-validation of order 2 decides between fixed channels, one matrix that was learnt, and one
for each central element.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.sparse import block_diag

from linmlp.descriptors import ACE, Descriptor
from linmlp.descriptors.ace.basis import count_functions, enumerate_functions
from linmlp.descriptors.ace.learning import atomic_numbers_of
from linmlp.descriptors.ace.mixing import check_n_channels, fixed_channels
from linmlp.potentials.channel_expansion import ChannelExpansion
from linmlp.potentials.evidence_weights import EVIDENCE
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.reporting import Reporter, Silent
from linmlp.potentials.row_assembly import assemble_rows
from linmlp.potentials.sampling import sample_structures
from linmlp.potentials.training_set import TrainingSet
from linmlp.structures import LabelSet, assign_folds, fit_reference_energies
from linmlp.system import Gram, LossWeights, combine, validate
from linmlp.system.threads import one_blas_thread
from linmlp.units import FloatArray

LEARNING_ATOMS = 10_000
"""Atoms of the sample."""

PAIR_DEGREE = 8
MAX_DEGREE = 8
MAX_FEATURES = 1500
"""Order 2 has the largest total degree up to `MAX_DEGREE` for which all functions are no more than this."""

ALPHA = 1e-7
N_FOLDS = 3
TOLERANCE = 0.02
"""Scores within this of the best count as equal."""

N_STARTS = 4
"""Starts of the minimization: `fixed_channels` and random matrices."""

ROUNDING = 1e-14
"""Losses below this part of the squared labels are rounding."""

STEPS = {"ftol": 1e-7, "gtol": 1e-5, "maxiter": 200}
"""When the minimization of ln J ends."""


def learns_channels(descriptor: Descriptor) -> bool:
    """Return whether a descriptor leaves its channels of elements to be learnt: it gives no more than their number."""
    channels = getattr(descriptor, "channels", None)
    return isinstance(descriptor, ACE) and isinstance(channels, int | np.integer) and not isinstance(channels, bool)


class ChannelCandidate(NamedTuple):
    """Channels that may be taken: a name, the matrix, and the score of order 2 on held-out folds, smaller is better."""

    name: str
    matrix: FloatArray  # (n_channels, n_elements), or (n_elements, n_channels, n_elements)
    score: float


def learn_channels(
    descriptor: ACE,
    structures: Sequence[Atoms],
    labels: LabelSet,
    e0: Any,
    settings: FitSettings,
    tell: Reporter | None = None,
) -> FloatArray:
    """Return the channels of elements with which functions of order 2 follow the labels best.

    Parameters
    ----------
    descriptor : ACE
        With a cutoff in Å and a number of channels.
    structures : sequence of ase.Atoms
        Training structures.
    labels : LabelSet
        Their labels.
    e0 : "auto", "isolated", "lstsq" or dict
        Reference energies.
    settings : FitSettings
        Loss weights ("auto" and "evidence" are those of the rule), threads, seed.
    tell : Reporter, optional
        Is told what was learnt.

    Returns
    -------
    ndarray of shape (n_channels, n_elements) or (n_elements, n_channels, n_elements)
        W with orthogonal rows, squares 1 on average: the simplest of `compare_channels` whose score is as good as the
        best. Where nothing is to be learnt (as many channels as elements, fewer structures than folds), or there are
        more elements than the compressed system stands, the `fixed_channels`.

    Raises
    ------
    SettingsError
        If the number of channels is not from 1 to that of the elements.
    """
    numbers = atomic_numbers_of(structures)
    candidates = compare_channels(descriptor, structures, labels, e0, settings)
    lowest = min(candidate.score for candidate in candidates)
    chosen = next(candidate for candidate in candidates if candidate.score <= lowest + TOLERANCE)
    if tell is not None and len(candidates) > 1:
        tried = ", ".join(f"{name} {100 * (score - lowest):+.0f} %" for name, _, score in candidates)
        tell.say(
            f"{int(descriptor.channels)} channel(s) of {', '.join(chemical_symbols[z] for z in numbers)}: "  # type: ignore[arg-type]
            f"{chosen.name}, {np.round(chosen.matrix, 3).tolist()} (errors of order 2 in cross-validation against the "
            f"lowest: {tried})"
        )
    return chosen.matrix


def compare_channels(
    descriptor: ACE, structures: Sequence[Atoms], labels: LabelSet, e0: Any, settings: FitSettings
) -> list[ChannelCandidate]:
    """Return channels that may be taken, simple ones first: fixed, learnt, and learnt for each central element.

    Parameters
    ----------
    descriptor : ACE
        With a cutoff in Å and a number of channels.
    structures : sequence of ase.Atoms
        Training structures.
    labels : LabelSet
        Their labels.
    e0 : "auto", "isolated", "lstsq" or dict
        Reference energies.
    settings : FitSettings
        Loss weights, threads, seed.

    Returns
    -------
    list of ChannelCandidate
        The fixed ones alone, with a score of 0, where nothing is to be learnt.
    """
    numbers = atomic_numbers_of(structures)
    n_channels = int(descriptor.channels)  # type: ignore[arg-type]  # see `learns_channels`
    check_n_channels(n_channels, numbers)
    fixed = fixed_channels(numbers, n_channels)
    degrees = _degrees(len(numbers), descriptor.max_l)
    if n_channels == len(numbers) or degrees is None or len(structures) < N_FOLDS:
        return [ChannelCandidate("fixed", fixed, 0.0)]
    problem = _Problem.of(descriptor, degrees, structures, labels, e0, settings)
    with one_blas_thread():
        return problem.candidates(fixed)


def _degrees(n_elements: int, max_l: int) -> tuple[int, int] | None:
    """Return the largest degrees whose functions are few enough, or None."""
    for degree in range(MAX_DEGREE, 0, -1):
        if n_elements * count_functions(n_elements, (PAIR_DEGREE, degree), max_l) <= MAX_FEATURES:
            return PAIR_DEGREE, degree
    return None


class _Problem:
    """The compressed system of order 2 of all elements, and what channels make of it."""

    def __init__(
        self, data: TrainingSet, expansion: ChannelExpansion, settings: FitSettings, weights: LossWeights
    ) -> None:
        self.numbers, self.n_structures = atomic_numbers_of(data.structures), len(data.structures)
        self._expansion, self._weights, self._solves_reference = expansion, weights, data.solves_reference
        self._seed = settings.random_state
        groups = [label.config_type for label in data.labels]
        folds = assign_folds(groups, N_FOLDS, settings.random_state)
        self._assembled = assemble_rows(data, settings, folds, Silent())

    @classmethod
    def of(
        cls,
        descriptor: ACE,
        degrees: tuple[int, int],
        structures: Sequence[Atoms],
        labels: LabelSet,
        e0: Any,
        settings: FitSettings,
    ) -> "_Problem":
        """Return the problem of a sample of structures."""
        chosen = _sample(structures, labels, settings.random_state)
        structures, labels = [structures[i] for i in chosen], replace(labels, items=tuple(labels[i] for i in chosen))
        n_elements = len(atomic_numbers_of(structures))
        every = ACE(descriptor.cutoff, 2, degrees, descriptor.max_l, np.eye(n_elements)).fit(structures)
        reduced = enumerate_functions(n_elements, degrees, descriptor.max_l, int(descriptor.channels))  # type: ignore[arg-type]
        given = {kind: getattr(settings, f"{kind}_weight") for kind in ("energy", "force", "stress")}
        ruled: dict[str, Any] = {kind: "auto" if weight == EVIDENCE else weight for kind, weight in given.items()}
        per: Any = "atom" if settings.energy_per == "auto" else settings.energy_per
        weights = LossWeights.from_labels(labels, None, **ruled, energy_per=per, groups=settings.group_weights)
        reference = fit_reference_energies(e0, structures, labels, every.elements_)
        expansion = ChannelExpansion.of(every.parameters_.functions, reduced, n_elements)
        return cls(
            TrainingSet(structures, labels, every, (), reference), expansion, replace(settings, form="gram"), weights
        )

    def gram(self, folds: Sequence[int] | None = None) -> Gram:
        """Return the normal equations of some folds, all by default."""
        return combine(self._assembled, self._weights, folds, self._solves_reference).system.to_gram()

    def candidates(self, fixed: FloatArray) -> list[ChannelCandidate]:
        """Return fixed and learnt channels with their scores."""
        rng, shape = np.random.default_rng(self._seed), fixed.shape
        starts = [fixed, *(rng.normal(size=shape) for _ in range(N_STARTS - 1))]
        learnt = self.minimize(self.gram(), starts)
        of_centers = self.minimize(self.gram(), [np.array([start] * len(self.numbers)) for start in (learnt, fixed)])
        return [
            ChannelCandidate("fixed", fixed, self.score(fixed, learn=False)),
            ChannelCandidate("learnt", learnt, self.score(learnt)),
            ChannelCandidate("learnt for each central element", of_centers, self.score(of_centers)),
        ]

    def minimize(self, gram: Gram, starts: Sequence[FloatArray]) -> FloatArray:
        """Return the channels of the smallest loss, from all starts."""
        penalized, shape = _penalized(gram), starts[0].shape

        def loss(flat: FloatArray) -> tuple[float, FloatArray]:
            return self._log_loss(flat.reshape(shape), gram, penalized)

        ends = [minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=STEPS) for start in starts]
        best = min(ends, key=lambda end: float(end.fun))
        return orthogonal_rows(best.x.reshape(shape), self.numbers)

    def score(self, W: FloatArray, learn: bool = True) -> float:
        """Return the mean of ln of energy MAE and ln of force RMSE on held-out folds.

        Channels are learnt anew without each fold, from those of all folds on.
        """
        energy, force = np.zeros(2), np.zeros(2)
        for fold in self._assembled.folds:
            problem = combine(
                self._assembled, self._weights, set(self._assembled.folds) - {fold}, self._solves_reference
            )
            gram = problem.system.to_gram()
            c = self._solve(self.minimize(gram, [W]) if learn else W, gram)
            errors = validate(self._assembled, [fold], c, problem.composition.recover(c), self._weights)
            energy += errors.energy_mae[0] * errors.listed.sum(), errors.listed.sum()
            force += errors.force.squared[0], errors.force.row_weight
        parts = [total / weight for total, weight in (energy, np.sqrt(force)) if weight > 0.0]
        return float(np.mean(np.log(parts))) if parts else 0.0

    def _expand(self, W: FloatArray) -> Any:
        return block_diag([self._expansion.matrix(own) for own in self._of_centers(W)], format="csr")

    def _of_centers(self, W: FloatArray) -> FloatArray:
        """Return the matrix of every central element."""
        return np.broadcast_to(W, (len(self.numbers), *W.shape[-2:]))

    def _solve(self, W: FloatArray, gram: Gram) -> FloatArray:
        """Return the coefficients of all elements that channels give."""
        T = self._expand(W)
        return np.asarray(T @ _reduced(T, gram, _penalized(gram)))

    def _log_loss(self, W: FloatArray, gram: Gram, penalized: FloatArray) -> tuple[float, FloatArray]:
        """Return ln J and its gradient with respect to W, flat."""
        T = self._expand(W)
        D = _reduced(T, gram, penalized)
        c = T @ D
        loss = max(gram.y_squared - float(gram.vector @ c), ROUNDING * gram.y_squared)
        n = len(self.numbers)
        rest, D = (penalized @ c - gram.vector).reshape(n, -1), D.reshape(n, -1)
        gradients = [
            self._expansion.gradient(own, left, right)
            for own, left, right in zip(self._of_centers(W), rest, D, strict=True)
        ]
        gradient = np.array(gradients) if W.ndim == 3 else np.sum(gradients, axis=0)
        return float(np.log(loss)), np.ravel(2.0 * gradient / loss)


def orthogonal_rows(W: FloatArray, numbers: tuple[int, ...]) -> FloatArray:
    """Return orthogonal rows with the same span, squares 1 on average, the first ones nearest to `fixed_channels`.

    Parameters
    ----------
    W : ndarray of shape (..., n_channels, n_elements)
        Independent rows.
    numbers : tuple of int
        Atomic numbers of the elements.

    Returns
    -------
    ndarray of shape (..., n_channels, n_elements)
        The same for all W of a span.
    """
    n_channels, n_elements = W.shape[-2:]
    basis = np.linalg.qr(np.swapaxes(W, -1, -2))[0]
    # The rotation in the span that is nearest to the fixed channels, by the polar decomposition.
    left, _, right = np.linalg.svd(fixed_channels(numbers, n_channels) @ basis)
    return np.asarray(np.sqrt(n_elements) * left @ right @ np.swapaxes(basis, -1, -2))


def _sample(structures: Sequence[Atoms], labels: LabelSet, random_state: int) -> list[int]:
    """Return places of structures that hold all elements."""
    groups, n_atoms = [label.config_type for label in labels], [label.n_atoms for label in labels]
    chosen = set(sample_structures(groups, n_atoms, LEARNING_ATOMS, random_state))
    found = {int(z) for i in chosen for z in structures[i].numbers}
    for i, structure in enumerate(structures):
        if not found.issuperset(structure.numbers.tolist()):
            chosen.add(i)
            found.update(structure.numbers.tolist())
    return sorted(chosen)


def _penalized(gram: Gram) -> FloatArray:
    """Return G + alpha diag G; functions that the sample never sees get a coefficient of 0."""
    squares = np.diagonal(gram.matrix)
    floor = squares[squares > 0.0].min(initial=1.0)
    return np.asarray(gram.matrix + np.diag(np.where(squares > 0.0, ALPHA * squares, floor)))


def _reduced(T: Any, gram: Gram, penalized: FloatArray) -> FloatArray:
    """Return D, the coefficients of functions of channels."""
    return _solution(T.T @ (T.T @ penalized).T, T.T @ gram.vector)


def _solution(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    scale = 1.0 / np.sqrt(np.diagonal(matrix))
    scaled = matrix * np.outer(scale, scale)
    scaled[np.diag_indices_from(scaled)] += len(scaled) * np.finfo(float).eps  # rounding, far below ALPHA
    return np.asarray(scale * cho_solve(cho_factor(scaled), scale * vector))
