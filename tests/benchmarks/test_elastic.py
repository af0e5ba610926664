"""The benchmark of elastic constants runs in its tiny mode and prints its figures."""

import runpy
from pathlib import Path


def test_tiny_mode(capsys):
    path = Path(__file__).parents[2] / "benchmarks" / "accuracy" / "elastic.py"
    runpy.run_path(str(path))["main"](["--tiny"])
    printed = capsys.readouterr().out
    assert "DFT, clamped ions" in printed
    assert "potential, the same structures, clamped ions, mean of 1" in printed
    assert "potential, at its own cell, relaxed ions" in printed
