"""The benchmark of long MD runs still runs, and the spoilt potential is caught."""

import json

from benchmarks.accuracy import md


def test_runs(capsys, tmp_path):
    md.main(["--tiny", "--json", str(tmp_path / "md.json")])
    told = capsys.readouterr().out
    assert "the fluctuation goes with the time step to the power" in told
    tiny, spoilt = json.loads((tmp_path / "md.json").read_text())
    assert [run["ensemble"] for run in tiny["runs"]] == ["nve", "nvt", "nvt", "nvt"]
    assert not spoilt["passed"]
    assert spoilt["runs"][1]["failed_at_step"] > 100
    assert "a temperature of" in spoilt["runs"][1]["reasons"][0]
