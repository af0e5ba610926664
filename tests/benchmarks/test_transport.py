"""The benchmark of transport runs in its tiny mode and prints its figures."""

import runpy
from pathlib import Path


def test_tiny_mode(capsys, tmp_path):
    path = Path(__file__).parents[2] / "benchmarks" / "accuracy" / "transport.py"
    runpy.run_path(str(path))["main"](["--tiny", "--folder", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "diffusion of the fit over that of the reference" in printed
    assert "conductivity with Cl -1, Li +1" in printed
    assert (tmp_path / "copper_reference_0.traj").is_file()
