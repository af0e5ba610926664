"""Choose loss weights, solver and size of a potential by cross-validation on folded rows, then add data to it."""

# %% A pool of functions, and a grid over everything that acts after the rows are folded
from linmlp import ACE, LinearPotential, LinearPotentialCV, UpToDegree
from linmlp.datasets import load_silicon
from linmlp.solvers import ForwardSelection

train, test = load_silicon()
model = LinearPotential(ACE(cutoff=4.5, order=3, max_degree=(8, 7, 5)), energy_per="atom")
grid = [
    {"solver": [ForwardSelection()], "solver__n_features_to_select": [20, 40, 60]},
    {"alpha": [1e-10, 1e-8, 1e-6], "features": [None, UpToDegree((6, 5, 3))]},
]
search = LinearPotentialCV(model, grid, cv=3, nested=True).fit(train[:-20])

# %% What was tried, what was chosen, and what the whole procedure is worth on structures that it has not seen
for params, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
    print(f"{score:8.3f}  {params}")
print("chosen:", search.best_params_)
print("outer folds:", [round(fold["force_rmse"], 4) for fold in search.nested_results_], "eV/Å")

# %% More structures later: the same as one fit to all, without the first ones
potential = search.best_estimator_.partial_fit(train[-20:])
print(potential.evaluate(test))
