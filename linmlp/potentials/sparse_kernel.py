"""Kernel potentials: a linear fit on kernel values to representative environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from linmlp.descriptors import SOAP, Descriptor, JoinedDescriptors, KernelFeatures
from linmlp.descriptors.kernel.selection import Selection
from linmlp.potentials.baseline_setting import BaselineSetting
from linmlp.potentials.linear import Auto, LinearPotential
from linmlp.potentials.solver_setting import FeatureSetting, PriorSetting
from linmlp.solvers import SystemSolver
from linmlp.structures import RejectSetting


class SparseKernelPotential(LinearPotential):
    r"""Interatomic potential whose atomic energies are sums of kernels to representative environments.

    The energy of an atom with the features p is :math:`\sum_s c_s \kappa(p, p_s)^\zeta`, where :math:`\kappa` is the
    cosine of the angle between features and the :math:`p_s` are environments of the training set: a Gaussian
    approximation potential with a sparse set [1]_. Since that is linear in the coefficients, everything else is as in
    `LinearPotential`: rows are folded, weights and the ridge strength (the noise level of the Gaussian process over its
    prior variance) are chosen by cross-validation, `LinearPotentialCV` searches, uncertainties come from the same
    object.

    Parameters
    ----------
    descriptor : Descriptor or None, default=None
        Features that the kernel compares; None means ``SOAP()``. Any descriptor of the house will do.
    n_sparse : int, default=1000
        Representatives for each element.
    zeta : float, default=4
        Exponent of the kernel, 1 or more.
    selection : {"fps", "cur", "random"}, default="fps"
        How representatives are chosen: farthest points, largest leverages, or at random.
    per_group : dict of str to int, optional
        Representatives that are taken from a ``config_type`` before the rest is taken from all.
    n_candidates : int, default=20000
        Atoms of each element that they are chosen from, at random.
    beside : Descriptor or None, default=None
        Features that enter linearly beside the kernel, such as the pair term ``ACE(order=1)``.
    energy_weight, force_weight, stress_weight, energy_per, group_weights
        As in `LinearPotential`, like the following.
    alpha, solver, prior, features, e0, baseline, n_folds, form, reject, memory
        How the coefficients are found.
    energy_key, forces_key, stress_key, virial_key
        Where labels stand.
    n_jobs, max_memory, keep_system, fold_rows, uncertainty, random_state, verbose
        How the fit is done.
    fill_holes : bool or "auto", default=False
        As in `LinearPotential`; kernels are bounded, so that atoms do not fall far.

    Attributes
    ----------
    descriptor_ : KernelFeatures or JoinedDescriptors
        Whitened kernel values, `beside` in front of them where it is given.
    coef_ : ndarray of shape (n_features,)
        Coefficients of these, eV. Others are as in `LinearPotential`.

    See Also
    --------
    linmlp.descriptors.KernelFeatures : The kernel and its whitening.

    References
    ----------
    .. [1] A. P. Bartók, M. C. Payne, R. Kondor, G. Csányi, Phys. Rev. Lett. 104, 136403 (2010); A. P. Bartók,
       J. Kermode, N. Bernstein, G. Csányi, Phys. Rev. X 8, 041048 (2018).

    Examples
    --------
    >>> from linmlp import SOAP, SparseKernelPotential
    >>> from linmlp.datasets import load_silicon
    >>> train, test = load_silicon()
    >>> model = SparseKernelPotential(SOAP(4.0, n_max=4, l_max=3), n_sparse=40).fit(train[:40])
    >>> len(model.coef_)
    40
    """

    def __init__(
        self,
        descriptor: Descriptor | None = None,
        n_sparse: int = 1000,
        zeta: float = 4.0,
        selection: Selection = "fps",
        per_group: Mapping[str, int] | None = None,
        n_candidates: int = 20000,
        beside: Descriptor | None = None,
        *,
        energy_weight: float | Literal["auto", "evidence"] = "auto",
        force_weight: float | Auto = "auto",
        stress_weight: float | Literal["auto", "evidence"] = "auto",
        energy_per: Literal["auto", "structure", "atom", "sqrt_atom"] = "auto",
        group_weights: Mapping[str, float] | None = None,
        alpha: float | Auto = "auto",
        solver: SystemSolver | None = None,
        prior: PriorSetting = None,
        features: FeatureSetting = None,
        e0: Literal["auto", "isolated", "lstsq"] | Mapping[str, float] = "auto",
        baseline: BaselineSetting = "zbl",
        n_folds: int = 5,
        form: Literal["auto", "gram", "qr"] = "auto",
        reject: RejectSetting = None,
        memory: Any = None,
        energy_key: str | None = None,
        forces_key: str | None = None,
        stress_key: str | None = None,
        virial_key: str | None = None,
        n_jobs: int | None = None,
        max_memory: float | None = None,
        keep_system: bool = True,
        fold_rows: bool = True,
        fill_holes: bool | Auto = False,
        uncertainty: bool = False,
        random_state: int = 0,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            descriptor,
            energy_weight=energy_weight,
            force_weight=force_weight,
            stress_weight=stress_weight,
            energy_per=energy_per,
            group_weights=group_weights,
            alpha=alpha,
            solver=solver,
            prior=prior,
            features=features,
            e0=e0,
            baseline=baseline,
            n_folds=n_folds,
            form=form,
            reject=reject,
            memory=memory,
            energy_key=energy_key,
            forces_key=forces_key,
            stress_key=stress_key,
            virial_key=virial_key,
            n_jobs=n_jobs,
            max_memory=max_memory,
            keep_system=keep_system,
            fold_rows=fold_rows,
            fill_holes=fill_holes,
            uncertainty=uncertainty,
            random_state=random_state,
            verbose=verbose,
        )
        self.n_sparse = n_sparse
        self.zeta = zeta
        self.selection = selection
        self.per_group = per_group
        self.n_candidates = n_candidates
        self.beside = beside

    def _default_descriptor(self) -> Descriptor:
        return SOAP()

    def _feature_setting(self) -> Any:
        """Return what makes the features: kernel values, beside others where they are wanted."""
        if isinstance(self.descriptor, FrozenEstimator):
            return self.descriptor
        kernel = KernelFeatures(
            self.descriptor,
            self.n_sparse,
            self.zeta,
            self.selection,
            self.per_group,
            self.n_candidates,
            self.random_state,
        )
        return kernel if self.beside is None else JoinedDescriptors([self.beside, kernel])

    @classmethod
    def _with_features(cls, features: Descriptor, settings: dict[str, Any]) -> Self:
        """Return an unfitted potential whose features these would be."""
        beside, kernel = features.descriptors_ if isinstance(features, JoinedDescriptors) else (None, features)
        own = kernel.get_params(deep=False)
        own.pop("random_state")
        return cls(**own, beside=None if beside is None else clone(beside), **settings)
