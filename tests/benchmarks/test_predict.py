"""The benchmark of predictions of many structures still runs."""

from benchmarks.speed import predict


def test_runs(capsys):
    predict.main(["--tiny"])
    out = capsys.readouterr().out
    assert "ratio" in out
    assert "512 atoms" in out
