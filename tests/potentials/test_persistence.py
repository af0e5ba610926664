"""Potentials to and from model files."""

import json

import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator
from safetensors.numpy import load_file, save_file

from linmlp import LinearPotential, load
from linmlp.exceptions import ModelFileError
from tests.naive.known_model import WEIGHTS, small_ace


def assert_identical(a, b, structures):
    for method in ("predict", "predict_stress"):
        np.testing.assert_array_equal(getattr(a, method)(structures), getattr(b, method)(structures))
    for x, y in zip(a.predict_forces(structures), b.predict_forces(structures), strict=True):
        np.testing.assert_array_equal(x, y)


def test_predictions_are_the_same_to_the_last_bit(fitted_case, tmp_path):
    model, structures = fitted_case.model, fitted_case.truth.structures
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert_identical(loaded, model, structures)
    assert loaded.describe() == model.describe()
    assert loaded.e0_ == model.e0_
    assert loaded.loss_weights_ == model.loss_weights_
    assert loaded.loss(structures) == model.loss(structures)
    assert loaded.training_ == model.training_
    loaded.save(tmp_path / "again")
    assert_identical(load(tmp_path / "again"), model, structures)


def test_a_loaded_model_can_be_fitted_again(silicon_model, model_file, silicon_truth):
    loaded = load(model_file)
    structures = silicon_truth.structures
    np.testing.assert_array_equal(loaded.fit(structures).coef_, silicon_model.coef_)


def test_settings_come_back(silicon_truth, tmp_path):
    groups = {"bulk": 2.0, "default": 0.5}
    model = LinearPotential(
        small_ace(), **WEIGHTS, alpha=1e-5, e0={"Si": -1}, group_weights=groups, baseline=None, random_state=3
    )
    model.fit(silicon_truth.structures).save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    for name, value in model.get_params().items():
        if not name.startswith("descriptor"):
            assert getattr(loaded, name) == value, name
    assert loaded.loss_weights_ == model.loss_weights_


def test_numpy_numbers_as_settings_can_be_saved(silicon_truth, tmp_path):
    model = LinearPotential(small_ace(), **{**WEIGHTS, "energy_weight": np.float64(2)}, alpha=np.float32(1e-5))
    model.set_params(e0={"Si": np.float64(-1.0)}, random_state=np.int64(2), n_folds=np.int32(3))
    model.fit(silicon_truth.structures).save(tmp_path / "model")
    assert_identical(load(tmp_path / "model"), model, silicon_truth.structures)


@pytest.mark.parametrize("calculator", [EMT(), LennardJones(sigma=1.8, epsilon=0.1, rc=5.0)])
def test_a_calculator_as_baseline(calculator, silicon_truth, tmp_path):
    if isinstance(calculator, EMT):
        structures = [a.copy() for a in silicon_truth.structures]
        for new, old in zip(structures, silicon_truth.structures, strict=True):
            new.numbers[:] = 29
            new.calc = SinglePointCalculator(new, **old.calc.results)
    else:
        structures = silicon_truth.structures
    model = LinearPotential(small_ace(), **WEIGHTS, alpha=1e-6, baseline=calculator).fit(structures)
    model.save(tmp_path / "model")
    with pytest.raises(ModelFileError, match=type(calculator).__name__):
        load(tmp_path / "model")
    other = LennardJones() if isinstance(calculator, EMT) else EMT()
    with pytest.raises(ModelFileError, match=type(other).__name__):
        load(tmp_path / "model", baseline=other)
    loaded = load(tmp_path / "model", baseline=calculator)
    assert_identical(loaded, model, structures)
    # the calculator's energy is in the prediction
    bare = model.predictor()
    bare.baselines = ()
    bulk = structures[0].copy()
    bulk.calc = calculator
    assert model.predict([bulk])[0] - bare(bulk).energy == pytest.approx(bulk.get_potential_energy(), abs=1e-9)
    np.testing.assert_allclose(model.predict_forces([bulk])[0] - bare(bulk).forces, bulk.get_forces(), atol=1e-9)


class TestBrokenFiles:
    def rewrite(self, model_file, path, change):
        header = json.loads(read_metadata(model_file))
        arrays = load_file(model_file)
        change(header, arrays)
        save_file(arrays, path, metadata={"linmlp": json.dumps(header)})
        return path

    @pytest.mark.parametrize("size", [0, 5, 100, -10])
    def test_cut_short(self, size, model_file, tmp_path):
        broken = tmp_path / "broken"
        broken.write_bytes(model_file.read_bytes()[:size])
        with pytest.raises(ModelFileError, match="broken"):
            load(broken)

    def test_foreign(self, tmp_path):
        (tmp_path / "text").write_text("hello, this is a text\n" * 10)
        save_file({"x": np.zeros(3)}, tmp_path / "foreign.safetensors")
        for name in ("text", "foreign.safetensors", "missing", "."):
            with pytest.raises(ModelFileError):
                load(tmp_path / name)

    @pytest.mark.parametrize(
        "change",
        [
            lambda header, arrays: header.pop("descriptor"),
            lambda header, arrays: header["descriptor"].update({"class": "SOAP"}),
            lambda header, arrays: header["fit"].update(status="FINE"),
            lambda header, arrays: header["settings"].update(colour="red"),
            lambda header, arrays: header["loss_weights"].update(energy=-1.0),
            lambda header, arrays: header.update(baselines=[{"kind": "magic"}]),
            lambda header, arrays: header.update(reference=3),
            lambda header, arrays: header.update(fit=None),
            lambda header, arrays: arrays.pop("coef"),
            lambda header, arrays: arrays.update(coef=np.zeros(3)),
            lambda header, arrays: arrays.update(coef=np.full(18, np.nan)),
            lambda header, arrays: arrays.pop("descriptor/radial_map"),
            lambda header, arrays: arrays.update({"descriptor/radial_map": np.zeros(2)}),
            lambda header, arrays: header.update(schema=99),
        ],
    )
    def test_something_missing_or_changed(self, change, model_file, tmp_path):
        with pytest.raises(ModelFileError, match="changed"):
            load(self.rewrite(model_file, tmp_path / "changed", change))

    def test_unchanged(self, model_file, tmp_path, silicon_model, silicon_truth):
        same = self.rewrite(model_file, tmp_path / "same", lambda header, arrays: None)
        assert_identical(load(same), silicon_model, silicon_truth.structures)


def read_metadata(path):
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return file.metadata()["linmlp"]


def test_saving_where_it_cannot_be(silicon_model, tmp_path):
    with pytest.raises(ModelFileError, match="missing"):
        silicon_model.save(tmp_path / "missing" / "model")
    with pytest.raises(ModelFileError):
        silicon_model.save(tmp_path)
    assert not list(tmp_path.iterdir())
