"""Features per atom: means of sums, in pipelines with regressors of scikit-learn."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linmlp import ACE, SOAP
from linmlp.datasets import load_silicon
from linmlp.descriptors import KernelFeatures, MeanFeatures
from linmlp.exceptions import SettingsError

DESCRIPTORS = {
    "soap": SOAP(4.0, 3, 2),
    "ace": ACE(cutoff=4.0, order=2, max_degree=5),
    "kernel": KernelFeatures(SOAP(4.0, 3, 2), n_sparse=12),
}
REGRESSORS = {
    "kernel ridge": lambda: make_pipeline(StandardScaler(), KernelRidge(kernel="rbf", alpha=1e-3, gamma=1e-3)),
    "trees": lambda: HistGradientBoostingRegressor(min_samples_leaf=5, random_state=0),
}


def volumes(structures):
    return np.array([atoms.get_volume() / len(atoms) for atoms in structures])


@pytest.fixture(scope="module")
def silicon():
    train, test = load_silicon()
    return train[::2], test


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_means_do_not_grow_with_the_structure(name, silicon):
    train = silicon[0][:20]
    mean = MeanFeatures(DESCRIPTORS[name]).fit(train)
    alone = mean.transform(train[:3])
    np.testing.assert_allclose(mean.transform([atoms.repeat(2) for atoms in train[:3]]), alone, atol=1e-10)
    sums = mean.descriptor_.transform(train[:3])
    np.testing.assert_allclose(alone * [[len(atoms)] for atoms in train[:3]], sums, rtol=1e-12, atol=1e-12)
    frame = MeanFeatures(DESCRIPTORS[name]).set_output(transform="pandas").fit_transform(train[:8])
    assert list(frame.columns) == list(mean.descriptor_.get_feature_names_out()[: frame.shape[1]])


@pytest.mark.parametrize("regressor", REGRESSORS)
@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_property_is_learned(name, regressor, silicon):
    train, test = silicon
    model = make_pipeline(MeanFeatures(DESCRIPTORS[name]), REGRESSORS[regressor]()).fit(train, volumes(train))
    floor = {"kernel ridge": 0.8, "trees": 0.6}[regressor]
    assert model.score(test, volumes(test)) > floor


def test_nested_names(silicon):
    train, test = silicon
    pipeline = make_pipeline(MeanFeatures(DESCRIPTORS["kernel"]), Ridge(1e-6))
    grid = {"meanfeatures__descriptor__zeta": [1, 4], "meanfeatures__descriptor__descriptor__n_max": [2, 3]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(train[:30], volumes(train[:30]))
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    assert search.score(test, volumes(test)) > 0.7


@pytest.mark.parametrize("descriptor", [None, 3, "soap"])
def test_something_else(descriptor, silicon):
    with pytest.raises(SettingsError, match="is none; give one such as"):
        MeanFeatures(descriptor).fit(silicon[0])
