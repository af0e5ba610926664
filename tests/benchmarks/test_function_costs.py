from benchmarks.speed import function_costs


def test_runs(capsys):
    function_costs.main(["--tiny"])
    out = capsys.readouterr().out
    assert "error with the rates in use" in out
    assert "error of a constant and a time for each function" in out
