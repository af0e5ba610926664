"""The benchmark of a molecular-dynamics step still runs."""

from benchmarks.speed import md_step


def test_runs(capsys):
    md_step.main(["--tiny"])
    output = capsys.readouterr().out
    assert "% peak" in output
    assert "double takes" in output
