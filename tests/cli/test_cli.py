"""The commands: what they write and print, and one clear sentence for every kind of input that cannot be used."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.io import write
from safetensors.numpy import save_file

from linmlp import load
from linmlp.datasets import load_silicon
from tests.naive.known_model import without

SMALL = ("--cutoff", "4", "--order", "2", "--max-degree", "4,3", "--alpha", "1e-6", "--energy-weight", "2")
COLUMNS = {"energy_mae", "energy_rmse", "force_mae", "force_rmse", "stress_mae", "stress_rmse", "n_structures"}


@pytest.fixture(scope="session")
def data(silicon_truth, tmp_path_factory):
    """Files of training and test structures."""
    folder = tmp_path_factory.mktemp("data")
    for name, part in (("train", silicon_truth.structures[:10]), ("test", silicon_truth.structures[10:])):
        write(folder / f"{name}.xyz", part, format="extxyz")
    return folder


class TestFit:
    def test_model_table_and_settings(self, run, data, tmp_path):
        code, out, err = run("fit", data / "train.xyz", "--test", data / "test.xyz", "-o", "my.linmlp", *SMALL)
        assert (code, err) == (0, "")
        assert {path.name for path in tmp_path.iterdir()} == {"my.linmlp", "my.yaml"}
        for words in (
            "memory:",
            "Errors on the training structures",
            f"Errors on {data / 'test.xyz'}",
            "share of the loss",
        ):
            assert words in out
        assert out.count("meV/atom") == 2
        assert "cross-validation" not in out
        model = load("my.linmlp")
        assert model.descriptor_.cutoff_ == 4.0
        assert (model.alpha_, model.energy_weight_) == (1e-6, 2.0)
        assert model.training_["n_structures"] == 10

    def test_presets(self, run, data, tmp_path):
        options = ("--cutoff", "3", "--alpha", "1e-6", "--energy-weight", "2")
        code, _, err = run("fit", data / "train.xyz", "--preset", "fast", *options)
        assert code == 0, err
        assert load("model.linmlp").descriptor_.max_degree == "fast"
        kept = yaml.safe_load((tmp_path / "model.yaml").read_text())
        assert (kept["preset"], "order" in kept, "max_degree" in kept) == ("fast", False, False)
        code, _, err = run("fit", "--settings", "model.yaml", "-o", "again.linmlp")
        assert code == 0, err
        assert (tmp_path / "again.yaml").read_text() == (tmp_path / "model.yaml").read_text().replace(
            "model.", "again."
        )

    def test_channels_of_elements(self, run, data, tmp_path):
        code, _, err = run("fit", data / "train.xyz", *SMALL, "--channels", "1")
        assert code == 0, err
        assert load("model.linmlp").descriptor_.parameters_.n_channels == 1
        assert yaml.safe_load((tmp_path / "model.yaml").read_text())["channels"] == 1
        text = (tmp_path / "model.yaml").read_text().replace("channels: 1", "channels: [[0.5]]")
        (tmp_path / "mine.yaml").write_text(text)
        assert run("fit", "--settings", "mine.yaml", "-o", "again.linmlp")[0] == 0
        assert load("again.linmlp").descriptor_.channels == [[0.5]]
        assert "channels=[[0.5]]" in run("info", "again.linmlp")[1]

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("--preset", "quick"), "no preset 'quick'; give one of fast, balanced, accurate"),
            (("--preset", "fast", "--order", "3"), "preset: fast says order and degrees, but order: 3 is given too"),
            (("--preset", "fast", "--max-degree", "4,3,2"), "max_degree: [4, 3, 2] is given too; leave out one"),
            (("--preset", "fast", "--descriptor", "soap"), "preset: fast would have no effect"),
            (("--channels", "2", "--cutoff", "4"), "channels=2 with the 1 element(s) Si; there must be at least 1"),
            (("--channels", "1", "--descriptor", "soap"), "channels: 1 would have no effect"),
        ],
    )
    def test_presets_that_do_not_go(self, options, told, run, data):
        code, _, err = run("fit", data / "train.xyz", *options)
        assert code == 2
        assert told in err

    def test_uncertainties(self, run, data, tmp_path):
        options = ("--test", data / "test.xyz", "--uncertainty", "--n-folds", "3")
        code, out, err = run("fit", data / "train.xyz", *options, *SMALL)
        assert (code, err) == (0, "")
        assert out.count("extrapolation grades") == 1
        assert yaml.safe_load((tmp_path / "model.yaml").read_text())["uncertainty"] is True
        code, out, _ = run("evaluate", "model.linmlp", data / "test.xyz", "--uncertainty")
        assert code == 0
        assert "stated intervals of forces" in out
        code, out, _ = run("evaluate", "model.linmlp", data / "test.xyz", "--uncertainty", "--json")
        assert json.loads(out)["uncertainty"]["total"]["n_structures"] == 4

    def test_the_written_settings_make_the_same_model(self, run, data, tmp_path):
        assert (
            run("fit", data / "train.xyz", "-o", "first", *SMALL, "--e0", "Si=-1.4", "--no-zbl", "--seed", "3")[0] == 0
        )
        settings = yaml.safe_load((tmp_path / "first.yaml").read_text())
        assert settings["max_degree"] == [4, 3]
        assert settings["e0"] == {"Si": -1.4}
        assert (settings["zbl"], settings["seed"], settings["cutoff"]) == (False, 3, 4.0)
        assert run("fit", "--settings", "first.yaml", "-o", "second")[0] == 0
        np.testing.assert_array_equal(load("first").coef_, load("second").coef_)
        assert run("fit", "--settings", "first.yaml")[0] == 0
        assert not (tmp_path / "first.used.yaml").exists()
        again = yaml.safe_load((tmp_path / "second.yaml").read_text())
        assert {**settings, "output": "second"} == again

    def test_options_overrule_the_settings_file(self, run, data, tmp_path):
        text = f"train: {data / 'train.xyz'}\ncutoff: 3.5\norder: 1\nmax_degree: 3\nalpha: 0.001\noutput: a.linmlp\n"
        (tmp_path / "my.yaml").write_text(text + "group_weights: {bulk: 2.0}\nzbl: false\n")
        assert run("fit", "--settings", "my.yaml", "--cutoff", "4.5", "--force-weight", "3", "--zbl")[0] == 0
        model = load("a.linmlp")
        assert (model.descriptor_.cutoff_, model.descriptor_.order, model.force_weight_) == (4.5, 1, 3.0)
        assert model.loss_weights_.groups == {"bulk": 2.0}
        assert model.alpha_ == 0.001
        assert len(model.baselines_) == 1

    def test_the_settings_file_of_the_user_stays(self, run, data, tmp_path):
        text = f"# mine\ntrain: {data / 'train.xyz'}\ncutoff: 4.0\norder: 1\nmax_degree: 3\nalpha: 0.001\n"
        (tmp_path / "model.yaml").write_text(text)
        assert run("fit", "--settings", "model.yaml")[0] == 0
        assert (tmp_path / "model.yaml").read_text() == text
        assert yaml.safe_load((tmp_path / "model.used.yaml").read_text())["cutoff"] == 4.0

    def test_cross_validation_report(self, run, data):
        arguments = ("--cutoff", 4, "--order", 1, "--max-degree", 3, "--cv-report", "-o", "model")
        code, out, _ = run("fit", data / "train.xyz", *arguments)
        assert code == 0
        assert re.search(r"cross-validation on the training structures, 5 folds: energy MAE \d+\.\d+", out)

    def test_a_file_that_is_read_is_not_overwritten(self, run, data, silicon_truth, tmp_path):
        write(tmp_path / "train.xyz", silicon_truth.structures[:10], format="extxyz")
        before = (tmp_path / "train.xyz").read_bytes()
        for output in ("train.xyz", "./train.xyz", "model.yaml"):
            code, _, err = run("fit", "train.xyz", "-o", output, *SMALL)
            assert code == 2
            assert "choose another" in err
        assert (tmp_path / "train.xyz").read_bytes() == before


class TestEvaluateAndInfo:
    def test_table(self, run, data, model_file):
        code, out, err = run("evaluate", model_file, data / "test.xyz")
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert lines[-1].startswith("total")
        assert {line.split()[0] for line in lines[2:-1]} == {"bulk", "molecule", "slab"}

    def test_json(self, run, data, model_file, silicon_model, silicon_truth):
        code, out, err = run("evaluate", model_file, data / "test.xyz", "--json")
        assert (code, err) == (0, "")
        table = json.loads(out, parse_constant=pytest.fail)
        assert set(table) == {"total", "groups"}
        assert set(table["total"]) == COLUMNS
        assert all(set(row) == COLUMNS for row in table["groups"].values())
        assert table["total"]["n_structures"] == 4
        wanted = silicon_model.evaluate(silicon_truth.structures[10:]).to_dict()["total"]
        assert table["total"] == pytest.approx(wanted, rel=1e-4)  # positions in the file are rounded

    def test_info(self, run, model_file, silicon_model):
        code, out, _ = run("info", model_file)
        assert code == 0
        assert out.strip() == silicon_model.describe()

    def test_as_a_program(self, data, model_file):
        for arguments, code in (((model_file, data / "test.xyz"), 0), (("missing", data / "test.xyz"), 2)):
            command = [sys.executable, "-c", "from linmlp.cli import main; main()", "evaluate", *map(str, arguments)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == code, done.stderr
            assert "Traceback" not in done.stderr
            assert bool(done.stdout) == (code == 0)


def labelled(truth, change):
    """Ten labelled structures, the third one changed."""
    structures = [without(a) for a in truth.structures[:10]]
    structures[2] = change(structures[2])
    return structures


def moved(atoms, **changes):
    """The structure with labels in the usual keys and something else changed."""
    other = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, info={"energy": -5.0})
    for name, value in changes.items():
        setattr(other, name, value)
    return other


CLOSE = np.array([[0, 0, 0], [0, 0, 0.05], [2, 0, 0]])
BAD_STRUCTURES = {
    "nan energy": (lambda a: without(a, energy=np.nan), "structure 2 .*NaN or infinite"),
    "infinite forces": (lambda a: without(a, forces=np.full((len(a), 3), np.inf)), "structure 2 .*NaN or infinite"),
    "zero cell vector": (lambda a: moved(a, cell=[5, 5, 0], pbc=True), "structure 2 .*cell|cell"),
    "atoms too close": (lambda a: Atoms("Si3", CLOSE, info={"energy": 1.0}), r"structure 2 .*0\.05 Å apart"),
    "energy of a wrong shape": (
        lambda a: Atoms("Si3", 3 * a.positions[:3], info={"energy": [1, 2]}),
        "structure 2 .*shape",
    ),
    "stress of a wrong shape": (lambda a: with_info(a, REF_stress=np.ones(4)), "structure 2 .*shape"),
    "forces of a wrong shape": (lambda a: with_forces(a, np.ones((len(a), 2))), "structure 2 .*shape"),
    "not an element": (lambda a: moved(a, numbers=np.zeros(len(a), dtype=int)), "structure 2 .*element"),
}


def with_info(atoms, **info):
    other = moved(atoms, cell=9 * np.eye(3), pbc=True)
    other.info.update(info)
    return other


def with_forces(atoms, forces):
    other = moved(atoms)
    other.arrays["REF_forces"] = forces
    return other


def assert_refused(answer, words, folder, before):
    """Exit code 2, one line on standard error that says it, no traceback, no new file."""
    code, _, err = answer
    assert code == 2
    assert re.search(words, err), err
    assert err.startswith("linmlp: ")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    assert sorted(folder.iterdir()) == before


class TestBadInput:
    @pytest.fixture(autouse=True)
    def _truth(self, run, tmp_path, silicon_truth, data, model_file):
        self.run, self.folder, self.truth, self.data, self.model = run, tmp_path, silicon_truth, data, model_file

    def refused(self, words, *arguments):
        before = sorted(self.folder.iterdir())
        assert_refused(self.run(*arguments), words, self.folder, before)

    def fit_refused(self, words, train, *arguments):
        self.refused(words, "fit", train, *SMALL, *arguments)

    @pytest.mark.parametrize("name", BAD_STRUCTURES)
    def test_structures(self, name):
        change, words = BAD_STRUCTURES[name]
        write(self.folder / "train.xyz", labelled(self.truth, change), format="extxyz")
        self.fit_refused(words, "train.xyz")
        self.refused(words, "evaluate", self.model, "train.xyz")
        self.fit_refused(words, self.data / "train.xyz", "--test", "train.xyz")

    def test_no_labels_at_all(self):
        write(
            self.folder / "train.xyz", [Atoms(a.symbols, a.positions) for a in self.truth.structures], format="extxyz"
        )
        self.fit_refused("none of the 14 structures has an energy, forces or a stress", "train.xyz")
        self.refused("none of the 14 structures", "evaluate", self.model, "train.xyz")

    @pytest.mark.parametrize("option", ["--energy-key", "--forces-key", "--stress-key", "--virial-key"])
    def test_a_key_that_nobody_has(self, option):
        self.fit_refused("my_label", self.data / "train.xyz", option, "my_label")

    def test_files(self):
        (self.folder / "empty.xyz").write_text("")
        (self.folder / "text.xyz").write_text("this is not a structure\n")
        (self.folder / "binary.xyz").write_bytes(bytes(range(256)))
        (self.folder / "cut.xyz").write_text("5\nenergy=1.0\nSi 0 0 0\n")
        (self.folder / "unknown.abc").write_text("this is not a structure\n")
        for name in ("empty.xyz", "text.xyz", "binary.xyz", "cut.xyz", "unknown.abc", "missing.xyz", "."):
            self.fit_refused(re.escape(name), name)
            self.refused(re.escape(name), "evaluate", self.model, name)

    def test_an_element_that_the_model_does_not_know(self):
        strange = [Atoms("SiGe", [[0, 0, 0], [0, 0, 2.2]], info={"energy": -1.0})]
        write(self.folder / "strange.xyz", strange, format="extxyz")
        self.refused("structure 0 .*Ge", "evaluate", self.model, "strange.xyz")
        self.fit_refused("Ge", self.data / "train.xyz", "--test", "strange.xyz")

    def test_a_cutoff_that_finds_no_pair(self):
        self.fit_refused("larger cutoff", self.data / "train.xyz", "--cutoff", "0.5")
        far = [Atoms("Si2", [[0, 0, 0], [0, 0, 99]], info={"energy": 1.0 * k}) for k in range(8)]
        write(self.folder / "far.xyz", far, format="extxyz")
        self.refused("give a cutoff", "fit", "far.xyz")

    def test_model_files(self):
        (self.folder / "broken").write_bytes(self.model.read_bytes()[:-20])
        (self.folder / "text").write_text("this is not a model\n" * 20)
        save_file({"x": np.zeros(3)}, self.folder / "foreign")
        for name in ("broken", "text", "foreign", "missing", "."):
            self.refused(".", "info", name)
            self.refused(".", "evaluate", name, self.data / "test.xyz")

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--cutoff", "wide"), "cutoff"),
            (("--cutoff", "-3"), "cutoff"),
            (("--cutoff", "nan"), "cutoff"),
            (("--order", "7"), "order"),
            (("--max-degree", "many"), "max-degree"),
            (("--max-degree", "4,3,2"), "max_degree"),
            (("--alpha", "-1"), "alpha"),
            (("--alpha", "inf"), "alpha"),
            (("--energy-weight", "heavy"), "energy_weight"),
            (("--force-weight", "-1"), "force_weight"),
            (("--energy-per", "mole"), "energy_per"),
            (("--e0", "Si"), "e0"),
            (("--e0", "Si=x"), "e0"),
            (("--e0", "C=1"), "Si"),
            (("--e0", "isolated"), "isolated"),
            (("--n-jobs", "0"), "n_jobs"),
            (("--seed", "-1"), "random_state|seed"),
            (("--max-memory", "1e-9"), "max_memory"),
            (("-o", "missing/model"), "missing"),
            (("-o", "."), "folder"),
            (("--settings", "missing.yaml"), r"missing\.yaml"),
        ],
    )
    def test_settings(self, arguments, words):
        self.fit_refused(words, self.data / "train.xyz", *arguments)

    @pytest.mark.parametrize(
        ("text", "words", "options"),
        [
            ("cutof: 4.0\n", "cutof.*known are .*cutoff", ()),
            ("cutoff: [1, 2]\n", "cutoff", ()),
            ("order: two\n", "order", ()),
            ("just words\n", "no settings", ()),
            ("a: b: c\n", "settings.yaml", ()),
            ("- 1\n", "no settings", ()),
            ("1: 2\n", "1", ()),
            ("group_weights: {bulkk: 2.0}\n", "bulkk", SMALL),
            ("n_folds: 1\n", "n_folds", SMALL),
            ("n_folds: 99\n", "99 folds", (*SMALL, "--alpha", "auto")),
        ],
    )
    def test_settings_files(self, text, words, options):
        (self.folder / "settings.yaml").write_text(text)
        self.refused(words, "fit", self.data / "train.xyz", "--settings", "settings.yaml", *options)

    def test_no_training_structures(self):
        self.refused("linmlp fit TRAIN", "fit")

    def test_usage(self):
        for arguments in (("fit", "--colour", "red"), ("evaluate",), ("cook",)):
            code, out, err = self.run(*arguments)
            assert code == 2
            assert "Traceback" not in err + out

    def test_an_older_model_stays_when_a_fit_fails(self):
        (self.folder / "model").write_bytes(self.model.read_bytes())
        self.fit_refused("alpha", self.data / "train.xyz", "-o", "model", "--alpha", "-1")
        assert (self.folder / "model").read_bytes() == self.model.read_bytes()


class TestCheck:
    def test_clean_and_faulty(self, run, tmp_path):
        train, test = load_silicon()
        write(tmp_path / "train.xyz", train, format="extxyz")
        write(tmp_path / "test.xyz", test, format="extxyz")
        code, out, err = run("check", "train.xyz", "--test", "test.xyz")
        assert (code, err) == (0, "")
        assert "0 errors" in out
        write(tmp_path / "test.xyz", [*test, train[0]], format="extxyz")
        code, out, _ = run("check", "train.xyz", "--test", "test.xyz")
        assert code == 1
        assert f"test {len(test)}" in out
        code, out, _ = run("check", "train.xyz", "--test", "test.xyz", "--json")
        assert code == 1
        errors = [f for f in json.loads(out)["findings"] if f["severity"] == "error"]
        assert [(f["check"], f["structures"]) for f in errors] == [("duplicates", [0, len(train) + len(test)])]
