import numpy as np
import pytest

from linmlp.exceptions import ModelFileError
from linmlp.potentials.model_file import SCHEMA, read_model_file, write_model_file


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.linmlp"
    write_model_file(path, {"elements": ["Si"]}, {"coef": np.arange(3.0)})
    return path


def test_round_trip(model):
    header, arrays = read_model_file(model)
    assert header == {"schema": SCHEMA, "elements": ["Si"]}
    np.testing.assert_array_equal(arrays["coef"], [0, 1, 2])


def test_missing_file(tmp_path):
    with pytest.raises(ModelFileError, match="there is no model file"):
        read_model_file(tmp_path / "nothing.linmlp")


@pytest.mark.parametrize("size", [0, 7, 100])
def test_truncated_file(model, size):
    model.write_bytes(model.read_bytes()[:size])
    with pytest.raises(ModelFileError, match="not a whole linmlp model"):
        read_model_file(model)


def test_foreign_safetensors_file(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, tmp_path / "foreign")
    with pytest.raises(ModelFileError, match="not a linmlp model"):
        read_model_file(tmp_path / "foreign")


def test_newer_schema(tmp_path):
    write_model_file(tmp_path / "m", {"schema": SCHEMA + 1}, {"coef": np.zeros(1)})
    with pytest.raises(ModelFileError, match="install a newer linmlp"):
        read_model_file(tmp_path / "m")


def test_failed_write_leaves_the_old_file(model, monkeypatch):
    before = model.read_bytes()
    monkeypatch.setattr(
        "linmlp.potentials.model_file.save_file", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(ModelFileError, match="disk full"):
        write_model_file(model, {}, {"coef": np.ones(1)})
    assert model.read_bytes() == before
    assert list(model.parent.iterdir()) == [model]


def test_folder_that_does_not_exist(tmp_path):
    with pytest.raises(ModelFileError, match="choose another folder"):
        write_model_file(tmp_path / "no" / "m", {}, {"coef": np.ones(1)})
