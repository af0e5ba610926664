"""The benchmarks of many elements run in their tiny mode and print their figures."""

from benchmarks.accuracy import channels
from benchmarks.speed import elements


def test_speed(capsys):
    elements.main(["--tiny"])
    output = capsys.readouterr().out
    assert "2 channels       2 element(s)" in output
    assert "functions around an atom" in output


def test_accuracy(capsys):
    channels.main(["--tiny"])
    output = capsys.readouterr().out
    assert "1 channels, learnt: order 2" in output
    assert "on 6 test structures" in output
