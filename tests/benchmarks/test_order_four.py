from benchmarks.speed import order_four


def test_runs(capsys):
    order_four.main(["--tiny"])
    out = capsys.readouterr().out
    assert "ratio" in out
    assert "energy rows" in out
