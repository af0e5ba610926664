"""`linmlp export`: a file, the lines that use it, and what cannot be used."""

import pytest

from linmlp.exceptions import LinmlpWarning
from linmlp.export import read_yace


def test_export(run, model_file, silicon_model, tmp_path):
    code, out, _ = run("export", model_file, "-o", "si.yace")
    assert code == 0
    assert "pair_coeff * * pace si.yace Si" in out
    assert "pair_style hybrid/overlay pace zbl" in out
    with pytest.warns(LinmlpWarning, match="is not read"):
        assert read_yace(tmp_path / "si.yace").e0_ == pytest.approx(silicon_model.e0_)


def test_default_name_and_existing_file(run, model_file, tmp_path):
    copy = tmp_path / "si.linmlp"
    copy.write_bytes(model_file.read_bytes())
    assert run("export", copy)[0] == 0
    code, _, err = run("export", copy)
    assert code == 2
    assert "exists" in err
    assert run("export", copy, "--overwrite", "--spline-bin", "0.002")[0] == 0
    assert "deltaSplineBins: 0.002" in (tmp_path / "si.yace").read_text()


@pytest.mark.filterwarnings("default")
def test_yace_files_are_models(run, model_file):
    assert run("export", model_file, "-o", "si.yace")[0] == 0
    code, out, err = run("info", "si.yace")
    assert code == 0
    assert "zbl" in err
    assert "for predictions alone" in out
