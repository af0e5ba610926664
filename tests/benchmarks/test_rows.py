"""The benchmark of the design rows still runs."""

from benchmarks.speed import rows


def test_runs(capsys):
    rows.main(["--tiny"])
    assert "% peak" in capsys.readouterr().out
