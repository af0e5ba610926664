"""The benchmark against ML-PACE still runs."""

import pytest

from benchmarks.speed import yace


def test_runs(capsys):
    pytest.importorskip("pyace", reason='python-ace is not installed; it comes with: pip install -e ".[test,pace]"')
    yace.main(["--tiny"])
    assert "recursive" in capsys.readouterr().out
