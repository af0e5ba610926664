"""pypolymlp: polynomial invariants of Gaussians, ridge; its default settings, a smaller and a larger model.

Its own table gives the energies of atoms. As it does by default, every tenth training structure chooses the ridge
strength and is not fitted. Each call of its evaluator searches for neighbors by comparing all pairs; that search is
timed alone and subtracted.
"""

import numpy as np

from benchmarks.peers.contract import Prediction, Setting, repeated

NAME = "pypolymlp"
PACKAGES = ("pypolymlp",)
MODULES = ("pypolymlp.mlp_dev.pypolymlp", "pypolymlp.utils.atomic_energies.atomic_energies")


def settings(tiny):
    """Return arguments of `set_params`; "large" has the invariants of the larger of its own grid of models."""
    if tiny:
        return {"small": Setting({"cutoff": 4.0, "gtinv_order": 2, "gtinv_maxl": (2,), "n_gaussians": 3})}
    return {
        "default": Setting(),
        "small": Setting({"model_type": 3, "gtinv_maxl": (4, 2), "n_gaussians": 5}),
        "large": Setting({"gtinv_maxl": (8, 8), "n_gaussians": 9}),
    }


def structure_of(atoms):
    from pypolymlp.core.data_format import PolymlpStructure

    n = len(atoms)
    return PolymlpStructure(
        axis=atoms.cell.array.T,
        positions=atoms.get_scaled_positions().T,
        n_atoms=[n],
        elements=list(atoms.symbols),
        types=[0] * n,
    )


def fit(setting, train, folder, others):
    from pypolymlp.mlp_dev.pypolymlp import Pypolymlp
    from pypolymlp.utils.atomic_energies.atomic_energies import get_atomic_energies

    element = train[0].symbols[0]
    values, _ = get_atomic_energies(elements=(element,))
    np.save(folder / "atomic_energy.npy", values)
    code = Pypolymlp()
    code.set_params(elements=(element,), atomic_energy=tuple(values), **setting.options)
    code.set_datasets_structures_autodiv(
        structures=[structure_of(atoms) for atoms in train],
        energies=np.array([atoms.get_potential_energy() for atoms in train]),
        forces=[atoms.get_forces().T for atoms in train],
        stresses=np.array([-atoms.get_volume() * atoms.get_stress(voigt=False) for atoms in train]),
        train_ratio=0.9,
    )
    code.fit()
    code.save_mlp(str(folder / "polymlp.yaml"))


def load(setting, folder, others):
    return Polynomial(folder)


class Polynomial:
    def __init__(self, folder):
        from pypolymlp.calculator.properties import Properties
        from pypolymlp.core.io_polymlp import load_mlp

        path = str(folder / "polymlp.yaml")
        self.params, coefficients = load_mlp(path)
        self.n_parameters = len(coefficients)
        self.properties = Properties(pot=path)
        self.atomic_energy = float(np.load(folder / "atomic_energy.npy")[0])

    def predict(self, atoms):
        energy, forces, virial = self.properties.eval(structure_of(atoms))
        xx, yy, zz, xy, yz, zx = -np.asarray(virial) / atoms.get_volume()
        energy += len(atoms) * self.atomic_energy
        return Prediction(energy, np.asarray(forces).T, np.array([xx, yy, zz, yz, zx, xy]))

    def stepper(self, atoms):
        structure = structure_of(atoms)
        return repeated(lambda: self.properties.eval(structure))

    def search_stepper(self, atoms):
        from pypolymlp.cxx.lib import libmlpcpp

        structure = structure_of(atoms)
        positions = structure.axis @ structure.positions
        return repeated(lambda: libmlpcpp.NeighborHalf(structure.axis, positions, self.params.model.cutoff, False))
