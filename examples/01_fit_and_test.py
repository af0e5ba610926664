"""Fit a potential to DFT data, test it, save it.

The bundled silicon data are `ase.Atoms` with energy, forces and stress; `ase.io.read("train.xyz", ":")` gives your own.
"""

# %%
# A small and fast set of functions is enough here: order 2, degrees up to 10. Leave everything out, `ACE()`, for the
# defaults: order 3, 750 functions, the cutoff chosen by cross-validation.

from linmlp import ACE, LinearPotential, load
from linmlp.datasets import load_silicon

train, test = load_silicon()
model = LinearPotential(ACE(cutoff=5.0, order=2, max_degree=(10, 8))).fit(train)

# %%
# What was fitted, and how well cross-validation on the training structures says it does.

print(model.describe())
print(model.describe_cross_validation())

# %%
# Errors on structures that were not trained on, per group; as text, dictionary or data frame.

errors = model.evaluate(test)
print(errors)
print(f"force RMSE {errors.to_dict()['total']['force_rmse']:.3f} eV/Å")

# %%
# One file holds everything; it contains arrays and JSON, no code.

model.save("silicon.linmlp")
again = load("silicon.linmlp")
print("same energies after loading:", bool((again.predict(test) == model.predict(test)).all()))
