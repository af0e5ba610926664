"""Make the golden model file of the current schema, and the energies it must go on giving.

    python tests/potentials/golden/make_golden.py

Run it once when the schema number changes; the files of older schemas stay as they are.
"""

import json
from pathlib import Path

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride
from linmlp.potentials.model_file import SCHEMA

FOLDER = Path(__file__).parent


def main():
    train, test = load_lithium_chloride()
    model = LinearPotential(ACE(cutoff=4.0, order=3, max_degree=(3, 3, 2), max_l=2, channels=1), alpha=1e-6).fit(
        train[:40]
    )
    model.save(FOLDER / f"schema_{SCHEMA}.linmlp")
    chosen = test[:3]
    expected = {
        "numbers": [a.numbers.tolist() for a in chosen],
        "positions": [a.positions.tolist() for a in chosen],
        "cells": [a.cell.array.tolist() for a in chosen],
        "energies": model.predict(chosen).tolist(),
        "largest_force": [float(abs(f).max()) for f in model.predict_forces(chosen)],
    }
    (FOLDER / f"schema_{SCHEMA}.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main()
