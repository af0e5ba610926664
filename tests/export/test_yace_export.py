"""What is written, what is refused, and what is left behind when something goes wrong."""

import resource
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.lj import LennardJones

from linmlp import ACE, LinearPotential, LinearPotentialCV, UpToDegree
from linmlp.descriptors import KernelFeatures
from linmlp.exceptions import ExportError, ModelFileError, SettingsError
from linmlp.export import verification, write_yace, yace_export
from linmlp.export.yace_evaluator import YaceEvaluator
from linmlp.export.yace_file import read_yace_file
from linmlp.structures import ZBL, PairTable
from tests.conftest import fitted
from tests.naive.known_model import WEIGHTS, random_structures, small_ace


def fit(truth, **settings):
    return LinearPotential(small_ace(), alpha=1e-8, **WEIGHTS, **settings).fit(truth.structures)


def test_file_and_commands(carbide_model, tmp_path):
    exported = write_yace(carbide_model, tmp_path / "sic.yace")
    (zbl,) = carbide_model.baselines_
    text = exported.path.read_text()
    assert exported.table is None
    assert exported.commands[0].startswith("pair_style hybrid/overlay pace zbl ")
    assert exported.commands[1] == "pair_coeff * * pace sic.yace C Si"
    assert exported.commands[2:] == (
        "pair_coeff 1 1 zbl 1 6 6",
        "pair_coeff 1 2 zbl 2 6 14",
        "pair_coeff 2 2 zbl 3 14 14",
    )
    radii = np.array(exported.commands[0].replace("zbl", "").split()[3:], dtype=float).reshape(3, 2)
    np.testing.assert_array_equal(radii, np.stack([zbl.inner, zbl.outer], axis=-1)[np.triu_indices(2)])
    for line in (*exported.commands, yace_export.model_hash(carbide_model)):
        assert line in text.partition("elements:")[0]
    assert all(line in str(exported) for line in exported.commands)
    assert max(exported.deviations.energies, exported.deviations.forces) < 1e-6


def test_without_baseline(silicon_truth, tmp_path):
    exported = write_yace(fit(silicon_truth, baseline=None), tmp_path / "si.yace")
    assert exported.commands == ("pair_style pace", "pair_coeff * * si.yace Si")


def test_equal_radii_share_an_instance(carbide_truth, tmp_path):
    zbl = ZBL(["Si", "C"], [[0.8, 0.7], [0.7, 0.8]], [[1.2, 1.1], [1.1, 1.2]])
    exported = write_yace(fit(carbide_truth, baseline=zbl), tmp_path / "sic.yace")
    assert exported.commands[0] == "pair_style hybrid/overlay pace zbl 0.8 1.2 zbl 0.7 1.1"
    assert exported.commands[2:] == (
        "pair_coeff 1 1 zbl 1 6 6",
        "pair_coeff 2 2 zbl 1 14 14",
        "pair_coeff 1 2 zbl 2 6 14",
    )


def test_energies_are_those_of_the_model(carbide_model, carbide_truth, tmp_path):
    """Reference energies and all; the repulsion is zero on the data."""
    evaluator = YaceEvaluator(read_yace_file(write_yace(carbide_model, tmp_path / "sic.yace").path))
    for atoms, energy in zip(carbide_truth.structures, carbide_model.predict(carbide_truth.structures), strict=True):
        assert evaluator(atoms).energies.sum() == pytest.approx(energy, rel=1e-9)


def test_selected_features_are_all_there_is(carbide_truth, tmp_path):
    """And every element has as many functions, since ML-PACE has memory for those of the last alone."""
    full = read_yace_file(write_yace(fit(carbide_truth), tmp_path / "full.yace").path)
    chosen = fit(carbide_truth, features=lambda d: ["C|" in n or "l=" not in n for n in d.get_feature_names_out()])
    part = read_yace_file(write_yace(chosen, tmp_path / "part.yace").path)
    sizes = [[sum(len(f.elements) > 1 for f in of_center) for of_center in part.functions] for _ in range(2)]
    assert sizes[0][0] == sizes[0][1]
    assert not any(f.coefficients.any() for f in part.functions[1] if len(f.elements) > 1)
    assert any(f.coefficients.any() for f in part.functions[0] if len(f.elements) > 1)
    low = read_yace_file(write_yace(fit(carbide_truth, features=UpToDegree((2, 2, 0))), tmp_path / "low.yace").path)
    assert len(low.functions[0]) < len(full.functions[0])
    assert low.bonds[0, 0].coefficients.shape[0] < full.bonds[0, 0].coefficients.shape[0]


@pytest.mark.parametrize("name", ["mixed_carbide_model", "mixed_alloy_model"])
def test_channels_are_written_as_sums_over_elements(name, request, tmp_path):
    model = request.getfixturevalue(name)
    exported = write_yace(model, tmp_path / "mixed.yace")
    assert max(exported.deviations.energies, exported.deviations.forces) < 1e-5  # tables of ML-PACE
    content, predictor = read_yace_file(exported.path), model.predictor()
    of_two = [f for f in content.functions[0] if len(f.elements) == 2]
    assert {f.elements for f in of_two} >= {(0, 0), (0, 1), (1, 1)}
    names = model.descriptor_.get_feature_names_out()
    assert len(of_two) > sum(name.startswith("C|c") and name.count(".c") == 1 for name in names)
    atoms = random_structures(model.descriptor_.elements_, seed=9, n=3)
    for theirs, ours in zip(map(YaceEvaluator(content, tables=False), atoms), map(predictor, atoms), strict=True):
        np.testing.assert_allclose(theirs.energies, ours.energies, rtol=1e-9)
        np.testing.assert_allclose(theirs.forces, ours.forces, rtol=0, atol=1e-9 * np.abs(ours.forces).max())


def test_pair_table(silicon_truth, tmp_path):
    r = np.linspace(1.0, 3.5, 120)
    table = PairTable(["Si"], r, (2.0 * (1 - r / 3.5) ** 3)[None, None])
    exported = write_yace(fit(silicon_truth, baseline=["zbl", table]), tmp_path / "si.yace")
    assert exported.table == tmp_path / "si.table"
    assert exported.commands[0].endswith(" table spline 100000")
    assert exported.commands[-1] == "pair_coeff 1 1 table si.table Si-Si_2"
    lines = exported.table.read_text().splitlines()
    assert lines[2] == "Si-Si_2"
    n = int(lines[3].split()[1])
    rows = np.array([line.split() for line in lines[5 : 5 + n]], dtype=float)
    assert [rows[0, 1], rows[-1, 1]] == [0.2, 3.5]
    steep = -6.0 / 3.5 * (1 - 1.0 / 3.5) ** 2
    below = rows[:, 1] < 1.0
    np.testing.assert_allclose(rows[below, 2], table.energies[0, 0, 0] + steep * (rows[below, 1] - 1), atol=1e-7)
    np.testing.assert_allclose(rows[~below, 2], 2.0 * (1 - rows[~below, 1] / 3.5) ** 3, atol=1e-7)
    np.testing.assert_allclose(rows[~below, 3], 6.0 / 3.5 * (1 - rows[~below, 1] / 3.5) ** 2, atol=1e-4)


def test_existing_file(silicon_model, tmp_path):
    path = tmp_path / "si.yace"
    path.write_text("precious")
    with pytest.raises(ExportError, match="exists"):
        write_yace(silicon_model, path)
    assert path.read_text() == "precious"
    write_yace(silicon_model, path, overwrite=True)
    assert read_yace_file(path).elements == ("Si",)


def nothing_left(folder):
    return sorted(file.name for file in Path(folder).iterdir())


def test_a_wrong_file_gets_no_name(silicon_model, tmp_path, monkeypatch):
    path = tmp_path / "si.yace"
    path.write_text("precious")
    right = yace_export.yace_text

    def wrong(parameters, coefficients, *rest):
        changed = coefficients.copy()
        changed[np.argmax(np.abs(changed))] *= 1 + 1e-4
        return right(parameters, changed, *rest)

    monkeypatch.setattr(yace_export, "yace_text", wrong)
    with pytest.raises(ExportError, match="what stands in the file deviates"):
        write_yace(silicon_model, path, overwrite=True)
    assert nothing_left(tmp_path) == ["si.yace"]
    assert path.read_text() == "precious"


def test_a_wrong_reference_energy_gets_no_name(silicon_model, tmp_path, monkeypatch):
    right = yace_export.yace_text
    monkeypatch.setattr(yace_export, "yace_text", lambda p, c, e0, b: right(p, c, [e0[0] + 1e-6], b))
    with pytest.raises(ExportError, match="reference energy"):
        write_yace(silicon_model, tmp_path / "si.yace")
    assert nothing_left(tmp_path) == []


def test_coarse_tables_are_refused(silicon_model, tmp_path, monkeypatch):
    monkeypatch.setattr(verification, "TABLE_LIMIT", 1e-12)
    with pytest.raises(ExportError, match="smaller spline_bin"):
        write_yace(silicon_model, tmp_path / "si.yace")
    assert nothing_left(tmp_path) == []


def test_full_disk(silicon_truth, tmp_path):
    """The table is whole when the disk is full: it does not get its name either."""
    r = np.linspace(3.0, 3.5, 20)
    table = PairTable(["Si"], r, (1 - r / 3.5)[None, None] ** 3)
    model = fit(silicon_truth, baseline=table)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ModelFileError, match="nothing was changed"):
            write_yace(model, tmp_path / "si.yace")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert nothing_left(tmp_path) == []


def test_what_lammps_does_not_know(silicon_truth, silicon_model, tmp_path):
    path = tmp_path / "si.yace"
    with pytest.raises(SettingsError, match="CalculatorBaseline"):
        write_yace(fit(silicon_truth, baseline=LennardJones(epsilon=0.01, sigma=2.0, rc=4.0)), path)
    features = KernelFeatures(ACE(cutoff=4.0, order=2, max_degree=3), n_sparse=5)
    kernel = LinearPotential(features, alpha=1e-6, fill_holes=False, **WEIGHTS).fit(silicon_truth.structures)
    with pytest.raises(SettingsError, match="KernelFeatures"):
        write_yace(kernel, path)
    with pytest.raises(SettingsError, match="best_estimator_"):
        write_yace(LinearPotentialCV(silicon_model, [{}]), path)
    with pytest.raises(ExportError, match=r"must end in \.yace"):
        write_yace(silicon_model, tmp_path / "si.yaml")
    for spline_bin in (0.0, -0.1, 0.5):
        with pytest.raises(SettingsError, match="spline_bin"):
            write_yace(silicon_model, path, spline_bin=spline_bin)
    with pytest.raises(ModelFileError, match="no folder"):
        write_yace(silicon_model, tmp_path / "nowhere" / "si.yace")
    assert nothing_left(tmp_path) == []


def test_hash_tells_models_apart(silicon_truth, silicon_model):
    assert yace_export.model_hash(silicon_model) == yace_export.model_hash(fitted(silicon_truth))
    assert yace_export.model_hash(silicon_model) != yace_export.model_hash(fit(silicon_truth, baseline=None))
