"""The benchmark of uncertainties runs in its tiny mode and prints its figures."""

import runpy
from pathlib import Path


def test_tiny_mode(capsys):
    path = Path(__file__).parents[2] / "benchmarks" / "accuracy" / "uncertainty.py"
    runpy.run_path(str(path))["main"](["--tiny"])
    printed = capsys.readouterr().out
    assert "area under ROC" in printed
    assert "total" in printed
