"""The benchmark of uncertainties of kernel potentials still runs."""

from benchmarks.speed import kernel_committee


def test_runs(capsys):
    kernel_committee.main(["--tiny"])
    output = capsys.readouterr().out
    assert "with uncertainty" in output
    assert "times predict_forces" in output
