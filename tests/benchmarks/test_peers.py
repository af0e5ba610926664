"""The comparison with other codes still runs without any of them, names them, and judges made-up rows rightly."""

import numpy as np
import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers import judging, least_squares, running, table
from benchmarks.peers.contract import MODULES, load_code
from benchmarks.peers.data import crystal, read_part


def make_row(code, setting, force_mae, ratio, **fit):
    errors = {"energy_mae": 2.0, "force_mae": force_mae, "force_rmse": 1.5 * force_mae}
    return {
        "code": code, "setting": setting, "note": "", "is_published": False, "n_parameters": 10, "errors": errors,
        "intervals": {}, "ratio": ratio, "reference_step": 4.0,
        "fit": {"processor_seconds": 10.0, "seconds_without_imports": 8.0} | fit,
    }  # fmt: skip


def test_tiny_mode_without_other_codes(tmp_path, capsys, monkeypatch):
    packages = {name: load_code(name).PACKAGES for name in MODULES if name != "linmlp_"}
    monkeypatch.setattr(running, "missing_packages", lambda code: code.PACKAGES if code.NAME != "linmlp" else ())
    peers.main(["--tiny", "--no-rows", "--results", str(tmp_path)])
    told = capsys.readouterr().out
    for name, needed in packages.items():
        assert f"{load_code(name).NAME} is left out: {' and '.join(needed)} not installed" in told
    assert "linmlp 8 selected" in told
    assert (tmp_path / "silicon" / "peers.png").stat().st_size > 1000
    assert "| linmlp balanced | 21 |" in (tmp_path / "silicon" / "table.md").read_text()

    peers.main(["--tiny", "--no-rows", "--results", str(tmp_path)])  # nothing is made again
    told = capsys.readouterr().out
    assert "fitted" not in told
    assert "linmlp 8 selected" in told


@pytest.fixture
def rows():
    own = [make_row("linmlp", "fast", 0.09, 0.5), make_row("linmlp", "balanced", 0.064, 1.0)]
    others = [
        make_row("pypolymlp", "default", 0.065, 16.0, processor_seconds=5.0, seconds_without_imports=2.0),
        make_row("pypolymlp", "large", 0.060, 60.0),
        make_row("SNAP", "2J=6", 0.15, 9.0),
        make_row("POD", "tiny", 0.1, 0.25),
        make_row("ML-PACE", "of linmlp fast", 0.09, 6.0),
    ]
    return judging.with_costs({f"{row['code']} {row['setting']}": row for row in own + others})


def test_sentences_follow_from_rows(rows):
    told = judging.sentences(rows)
    text = "\n".join(told)
    assert "pypolymlp default: force MAE 0.0650 eV/Å at 64 µs/atom; linmlp balanced has 0.0640 at 4: 16.0" in text
    assert "pypolymlp large: force MAE 0.0600 eV/Å, which none of ours reaches" in told
    assert "bar of 5 times against pypolymlp: DOES NOT HOLD (pypolymlp large is not reached)" in told
    assert "bar of 10 times against ML-PACE: holds (least 12.0, of linmlp fast)" in told
    assert "bar of 20 times against SNAP: DOES NOT HOLD (least 18.0, 2J=6)" in told
    assert "below our curve: pypolymlp large, POD tiny" in told
    assert "pypolymlp takes 0.50 (0.25) times as long" in text


def test_tables_hold_every_row(rows):
    assert len(table.as_text(rows).splitlines()) == len(rows) + 1
    assert table.as_markdown(rows).count("\n") == len(rows) + 1
    compact = table.as_compact({"a": rows, "b": {"SNAP 2J=6": rows["SNAP 2J=6"]}})
    assert "| SNAP 2J=6 | 2.00, 0.1500, 36 (9) | 2.00, 0.1500, 36 (9) |" in compact
    assert "| POD tiny | 2.00, 0.1000, 1 (0.25) |  |" in compact


def test_single_precision_stands_beside_double(rows):
    rows["linmlp fast, single"] = rows["linmlp fast"] | {"setting": "fast, single", "ratio": 0.3, "cost": 1.2}
    text = table.as_markdown(rows)
    assert "2 (single 1.2) | 0.5 (0.3)" in text
    assert "fast, single" not in text


def test_least_squares_recover_a_known_model():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=6)
    structures = read_part(None, "train")

    def rows_of(atoms):
        blocks = [rng.normal(size=(n, 6)) for n in (1, 3 * len(atoms), 6)]
        labels = [block @ truth + rng.normal(0.0, 1e-4, len(block)) for block in blocks]
        energy, *others = [np.column_stack(both) for both in zip(blocks, labels, strict=True)]
        return energy[0], *others

    found, chosen = least_squares.fit(structures, rows_of)
    np.testing.assert_allclose(found, truth, atol=1e-4)  # the noise of one of thousands of rows
    assert chosen["alpha"] in least_squares.ALPHAS


def test_crystal_is_a_repeated_training_structure():
    train = read_part(None, "train")
    found = crystal(train, n_atoms=200)
    assert len(found) >= 200
    own = [atoms for atoms in train if np.allclose(atoms.positions, found.positions[: len(atoms)])]
    assert len(own) == 1
    assert len(own[0]) == max(map(len, train))
    assert np.isclose(found.get_volume() / len(found), own[0].get_volume() / len(own[0]))
