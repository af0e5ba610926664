"""The folded rows of a potential as arrays of a model file, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from linmlp.potentials.training_set import TrainedSystem
from linmlp.structures import ReferenceEnergies
from linmlp.system import AssembledData, EnergyRows, KindSystem, from_state
from linmlp.system.blocks import Key
from linmlp.units import FloatArray

NUMBERS = ("X", "composition", "y", "n_atoms", "listed", "label_weight", "fold", "index")
"""Arrays of the energy rows; their groups are text and go to the header."""


def system_to_state(system: TrainedSystem) -> tuple[dict[str, Any], dict[str, FloatArray]]:
    """Return folded rows as json-able header and arrays.

    Parameters
    ----------
    system : TrainedSystem
        Folded rows.

    Returns
    -------
    header : dict
        Numbers and names.
    arrays : dict of str to ndarray
        By name.
    """
    data = system.data
    arrays = {f"energy/{name}": np.asarray(getattr(data.energy, name)) for name in NUMBERS}
    kinds: dict[str, list[dict[str, Any]]] = {"force": [], "stress": []}
    for kind, entries in kinds.items():
        for number, (key, part) in enumerate(sorted(getattr(data, kind).items())):
            state = part.system.to_state()
            entry = {"fold": key[0], "group": key[1], "count": part.count, "row_weight": part.row_weight}
            for name, array in state.items():
                if array.ndim:
                    arrays[f"{kind}/{number}/{name}"] = array
                else:
                    entry[name] = array.item()
            entries.append(entry)
    header = {
        "form": data.form,
        "elements": list(data.elements),
        "n_structures": data.n_structures,
        "groups_apart": data.groups_apart,
        "group_weights": None if data.group_weights is None else dict(data.group_weights),
        "groups": [str(group) for group in data.energy.group],
        "kinds": kinds,
        "reference": system.reference.to_state(),
    }
    return header, arrays


def system_from_state(header: Mapping[str, Any], arrays: Mapping[str, FloatArray]) -> TrainedSystem:
    """Return the folded rows that `system_to_state` described.

    Parameters
    ----------
    header : mapping
        Numbers and names.
    arrays : mapping of str to ndarray
        By name.

    Returns
    -------
    TrainedSystem
        Folded rows.
    """
    energy: dict[str, Any] = {name: arrays[f"energy/{name}"] for name in NUMBERS}
    systems: dict[str, dict[Key, KindSystem]] = {}
    for kind in ("force", "stress"):
        systems[kind] = {}
        for number, entry in enumerate(header["kinds"][kind]):
            start = f"{kind}/{number}/"
            state = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
            state |= {name: np.asarray(entry[name]) for name in ("form", "n_rows", "grows_into") if name in entry}
            part = KindSystem(from_state(state), entry["count"], entry["row_weight"])
            systems[kind][entry["fold"], entry["group"]] = part
    data = AssembledData(
        header["form"],
        tuple(header["elements"]),
        systems["force"],
        systems["stress"],
        EnergyRows(group=np.array(header["groups"], dtype=object), **energy),
        header["n_structures"],
        header["groups_apart"],
        header["group_weights"],
    )
    return TrainedSystem(data, ReferenceEnergies.from_state(header["reference"]))
