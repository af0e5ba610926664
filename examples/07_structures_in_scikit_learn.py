"""Use descriptors as transformers: properties of whole structures with any regressor, and searches over kernels."""

# %%
# A property of whole structures: the pressure, from the stress labels of the bundled silicon set. It does not grow with
# the number of atoms, and so features are averaged over the atoms.

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from linmlp import ACE, SOAP, SparseKernelPotential
from linmlp.datasets import load_silicon
from linmlp.descriptors import KernelFeatures, MeanFeatures
from linmlp.units import EV_PER_A3_IN_GPA


def pressures(structures):
    """Return the pressures of structures in GPa."""
    return np.array([-atoms.get_stress()[:3].mean() * EV_PER_A3_IN_GPA for atoms in structures])


train, test = load_silicon()
soap = SOAP(cutoff=4.5, n_max=4, l_max=3)
regressors = {
    "SOAP, kernel ridge regression": make_pipeline(
        MeanFeatures(soap), StandardScaler(), KernelRidge(kernel="rbf", alpha=1e-3, gamma=1e-3)
    ),
    "ACE, gradient boosted trees": make_pipeline(
        MeanFeatures(ACE(cutoff=4.5, order=2, max_degree=6)), HistGradientBoostingRegressor(random_state=0)
    ),
    "kernel to 40 environments, ridge regression": make_pipeline(
        MeanFeatures(KernelFeatures(soap, n_sparse=40)), RidgeCV(np.logspace(-8, 0, 9))
    ),
}
for name, regressor in regressors.items():
    r2 = regressor.fit(train, pressures(train)).score(test, pressures(test))
    print(f"pressure from {name}: R² {r2:.3f} on {len(test)} test structures")

# %%
# Parameters of the descriptor have nested names.

trees = GridSearchCV(regressors["ACE, gradient boosted trees"], {"meanfeatures__descriptor__order": [1, 2]}, cv=3)
print("chosen:", trees.fit(train, pressures(train)).best_params_)

# %%
# A kernel potential may be the last step of a pipeline. Its labels live on the structures, its score is minus the loss.

potential = SparseKernelPotential(SOAP(cutoff=4.5, n_max=4), energy_per="atom", energy_weight=100.0, alpha=1e-6)
grid = {
    "potential__zeta": [2, 4],
    "potential__n_sparse": [10, 40],
    "potential__descriptor__l_max": [1, 3],
}
search = GridSearchCV(Pipeline([("potential", potential)]), grid, cv=3).fit(train[::2])
for params, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
    print(f"{score:9.3f}  {params}")
print("chosen:", search.best_params_)
print(search.best_estimator_["potential"].evaluate(test))
