"""The benchmark of SOAP and kernel potentials still runs; competitors that are not installed are named."""

import pytest

from benchmarks.accuracy import kernel


@pytest.mark.filterwarnings("ignore::linmlp.exceptions.LinmlpWarning")
@pytest.mark.parametrize(("what", "words"), [("rows", "values and gradients of 2 frames"), ("cost", "kernel on ACE")])
def test_tiny_mode(what, words, capsys, monkeypatch):
    monkeypatch.setattr(kernel, "installed", lambda name: print(f"   {name} is left out"))
    kernel.main([what, "--tiny"])
    assert words in capsys.readouterr().out
