"""The benchmark of committees and sums of features still runs."""

from benchmarks.speed import committee


def test_runs(capsys):
    committee.main(["--tiny"])
    output = capsys.readouterr().out
    assert "10 members" in output
    assert "selected of" in output
