"""Plots show what the results hold."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from linmlp.evaluation.mechanics import (
    elastic_constants,
    equation_of_state,
    phonons,
    plot_elastic,
    plot_equation_of_state,
    plot_phonons,
    plot_radial_distribution,
    radial_distribution,
)

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_equation_of_state():
    result = equation_of_state(EMT(), bulk("Cu"), EMT(), n_points=5)
    ax = plot_equation_of_state(result)
    curve, points = ax.lines[:2]
    np.testing.assert_allclose(points.get_ydata(), 1e3 * (result.energies - result.energy))
    assert curve.get_ydata().min() == pytest.approx(0.0, abs=0.05)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["potential", "reference"]
    assert plot_equation_of_state(result, ax) is ax


def test_elastic():
    tensor = elastic_constants(EMT(), bulk("Cu"), energies=False).tensor
    ax = plot_elastic(tensor, tensor)
    assert len(ax.lines) == 4
    compliance = np.linalg.inv(tensor.matrix)
    assert ax.lines[0].get_ydata()[0] == pytest.approx(1.0 / compliance[0, 0])
    # Along [110] of a cubic crystal.
    s11, s12, s44 = compliance[0, 0], compliance[0, 1], compliance[3, 3]
    assert ax.lines[0].get_ydata()[45] == pytest.approx(1.0 / (s11 - 0.5 * (s11 - s12 - 0.5 * s44)))


def test_phonons():
    pytest.importorskip("phonopy")
    result = phonons(EMT(), bulk("Cu"), EMT(), supercell=(2, 2, 2))
    bands, density = plot_phonons(result)
    assert "Γ" in [tick.get_text() for tick in bands.get_xticklabels()]
    assert len(density.lines) == 2
    np.testing.assert_allclose(bands.lines[3].get_ydata(), result.bands[:, 0])


def test_radial_distribution():
    frames = [bulk("NaCl", "rocksalt", a=5.6, cubic=True).repeat(2) for _ in range(6)]
    for index, frame in enumerate(frames):
        frame.rattle(0.1, seed=index)
    axes = plot_radial_distribution(radial_distribution(frames, reference=frames[:3]))
    assert [ax.get_title() for ax in axes] == ["Cl-Cl", "Cl-Na", "Na-Na"]
    assert len(axes[0].collections) == 2
