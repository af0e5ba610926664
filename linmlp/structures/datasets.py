"""Small sets of DFT data that come with the library."""

from importlib.resources import as_file, files

from ase import Atoms

from linmlp.structures.files import read_structures


def load_silicon() -> tuple[list[Atoms], list[Atoms]]:
    """Return silicon structures with energies, forces and stresses: training and test set.

    Returns
    -------
    train, test : list of ase.Atoms
        Labels are on the calculators (eV, eV/Å, eV/Å³); groups in ``info["config_type"]``.
    """
    return _load("silicon", "train"), _load("silicon", "test")


def load_lithium_chloride() -> tuple[list[Atoms], list[Atoms]]:
    """Return lithium chloride structures with energies, forces and stresses: training and test set.

    Returns
    -------
    train, test : list of ase.Atoms
        Labels are on the calculators (eV, eV/Å, eV/Å³); groups in ``info["config_type"]``.
    """
    return _load("lithium_chloride", "train"), _load("lithium_chloride", "test")


def _load(name: str, part: str) -> list[Atoms]:
    """Return the structures of one file of the package."""
    with as_file(files("linmlp.structures") / "data" / f"{name}_{part}.xyz.gz") as path:
        return read_structures(path)
