"""The choice of the cutoff: candidates in, the one with the best cross-validation on a sample out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ase import Atoms
from sklearn.base import clone

from linmlp.descriptors import ACE, Descriptor
from linmlp.potentials.element_channels import learn_channels, learns_channels
from linmlp.potentials.evidence_weights import EVIDENCE
from linmlp.potentials.fit_settings import FitSettings
from linmlp.potentials.fitting import cross_validation_score
from linmlp.potentials.reporting import Reporter
from linmlp.potentials.sampling import sample_structures
from linmlp.potentials.training_set import TrainingSet
from linmlp.structures import LabelSet, fit_reference_energies
from linmlp.system import LossWeights

PROBE_ATOMS = 3000
"""Atoms of the sample: a probe of everything would cost more than the fit."""

PROBE_ALPHAS = (1e-8, 1e-7, 1e-6)
PROBE_FOLDS = 3

TOLERANCE = 0.03
"""Differences of the score below this are within the luck of the folds: the smallest cutoff within it is taken."""

GROWTH = 1.17
WORTHWHILE = 0.1
"""Cutoffs beyond the candidates are tried while the last step lowered the score by this much."""


def choose_cutoff(
    descriptor: Descriptor,
    structures: Sequence[Atoms],
    labels: LabelSet,
    e0: Any,
    settings: FitSettings,
    tell: Reporter,
) -> float:
    """Return the smallest cutoff in Å whose cross-validation score on a sample is as good as the best.

    Those in the middle are tried first, then those on the side of the better one, until errors grow. While the step to
    the largest cutoff lowered the score by a tenth, one that is 17 % larger is tried: molecules, whose nearest
    neighbors are hydrogen atoms, need that.

    Parameters
    ----------
    descriptor : Descriptor
        Has `cutoff_candidates` and a parameter `cutoff`.
    structures : sequence of ase.Atoms
        Training structures.
    labels : LabelSet
        Their labels.
    e0 : "auto", "isolated", "lstsq" or dict
        Reference energies.
    settings : FitSettings
        Settings of the fit.
    tell : Reporter
        Is told the scores.

    Returns
    -------
    float
        Cutoff in Å.
    """
    candidates = list(descriptor.cutoff_candidates(structures))
    if len(candidates) == 1:
        return float(candidates[0])
    chosen = sample_structures(
        [label.config_type for label in labels], [label.n_atoms for label in labels], PROBE_ATOMS, settings.random_state
    )
    if isinstance(descriptor, ACE):
        descriptor = descriptor.for_sample(structures)
    probe = _Probe(descriptor, structures, labels, chosen, e0, settings)
    scores = _walk(candidates, probe.score)
    while max(scores) >= max(candidates) and _still_falls(scores):
        larger = round(max(scores) * GROWTH, 3)
        scores[larger] = probe.score(larger)
    lowest = min(scores.values())
    best = min(cutoff for cutoff, score in scores.items() if score <= lowest + TOLERANCE)
    tried = ", ".join(f"{cutoff:g} Å {100 * (score - lowest):+.0f} %" for cutoff, score in sorted(scores.items()))
    tell.say(
        f"cutoff {best:g} Å, from cross-validation on {len(chosen)} structures (errors against the lowest: {tried})"
    )
    return float(best)


def _walk(candidates: Sequence[float], score: Callable[[float], float]) -> dict[float, float]:
    """Return the scores of the candidates in the middle and of those beyond the better one, until they grow."""
    middle = len(candidates) // 2
    below, above = list(candidates[:middle]), list(candidates[middle:])
    scores = {cutoff: score(cutoff) for cutoff in (below.pop(), above.pop(0))}
    lower, upper = scores
    side = below[::-1] if scores[lower] <= scores[upper] else above
    for cutoff in side:
        scores[cutoff] = score(cutoff)
        if scores[cutoff] > min(scores.values()):
            break
    return scores


def _still_falls(scores: dict[float, float]) -> bool:
    """Return whether the largest cutoff is better than all others by enough."""
    *others, last = (scores[cutoff] for cutoff in sorted(scores))
    return last < min(others) - WORTHWHILE


class _Probe:
    """Cross-validation of cutoffs on a sample."""

    def __init__(
        self,
        descriptor: Descriptor,
        structures: Sequence[Atoms],
        labels: LabelSet,
        chosen: list[int],
        e0: Any,
        settings: FitSettings,
    ) -> None:
        self.descriptor = descriptor
        self.structures = [structures[i] for i in chosen]
        self.labels = replace(labels, items=tuple(labels[i] for i in chosen))
        self.e0 = e0
        energy_per: Any = "atom" if settings.energy_per == "auto" else settings.energy_per
        energy, stress = (
            "auto" if weight == EVIDENCE else weight for weight in (settings.energy_weight, settings.stress_weight)
        )
        weights = LossWeights.from_labels(self.labels, None, energy, settings.force_weight, stress, energy_per)
        self.settings = replace(
            settings,
            energy_weight=weights.energy,
            force_weight=weights.force,
            stress_weight=weights.stress,
            energy_per=energy_per,
            alpha="auto" if settings.solver is not None else settings.alpha,
            solver=None,
            prior=None,
            features=None,
            fold_rows=True,
            alphas=PROBE_ALPHAS,
            n_folds=PROBE_FOLDS,
            form="gram",
        )

    def score(self, cutoff: float) -> float:
        """Return the best score with this cutoff."""
        descriptor = clone(self.descriptor).set_params(cutoff=cutoff)
        if learns_channels(descriptor):
            channels = learn_channels(descriptor, self.structures, self.labels, self.e0, self.settings)
            descriptor.set_params(channels=channels)
        descriptor.fit(self.structures)
        reference = fit_reference_energies(self.e0, self.structures, self.labels, descriptor.elements_)
        data = TrainingSet(self.structures, self.labels, descriptor, (), reference)
        return cross_validation_score(data, self.settings)
