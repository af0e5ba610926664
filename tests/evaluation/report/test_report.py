"""The report as a file: whole, self-contained, accessible; what is missing or fails is said and keeps nothing else."""

import base64
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from linmlp.evaluation.report import SECTIONS, write_report
from linmlp.evaluation.report.words import number
from linmlp.exceptions import InputError, ModelFileError, SettingsError

QUICK = ("parity", "learning", "transferability", "search", "core", "mechanics")


class Page(HTMLParser):
    """Tags with their attributes, the text of headings, all text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(text for tag, text in self.texts if tag not in ("style", "title")).split())


@pytest.fixture(scope="module")
def page(full):
    return Page(full.text)


def test_all_sections_are_made(full):
    assert [section.key for section in full.report.sections] == [section.key for section in SECTIONS]
    status = {section.key: section.status for section in full.report.sections}
    assert status == {section.key: "made" for section in SECTIONS} | {"transport": "not made"}  # no charges were given
    assert full.report.failed == []


def test_nothing_is_fetched(page):
    """Links lead to places of the page, pictures are part of it, and nothing runs."""
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    for tag, attrs in page.tags:
        for name in ("src", "href"):
            value = attrs.get(name, "data:")
            assert value.startswith("data:") or (tag == "a" and value.removeprefix("#") in ids), (tag, value[:80])
    assert not page.all("script")
    style = "".join(text for tag, text in page.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    assert "@media print" in style


def test_it_is_accessible(page):
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(len(attrs["alt"]) > 30 for attrs in page.all("img"))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    referred = [attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs]
    assert set(referred) <= set(ids)
    contents = [attrs["href"] for attrs in page.all("a")]
    assert all(f"#{section.key}" in contents for section in SECTIONS)


def test_pictures_are_whole(page):
    kinds = set()
    for attrs in page.all("img"):
        head, data = attrs["src"].split(",", 1)
        kinds.add(head)
        picture = base64.b64decode(data, validate=True)
        assert picture.startswith(b"\x89PNG") or picture.rstrip().endswith(b"</svg>")
    assert kinds == {"data:image/png;base64", "data:image/svg+xml;base64"}


def test_numbers_are_those_of_evaluate(full, small, page):
    total = small.model.evaluate(small.test, uncertainty=True).to_dict()["total"]
    assert f"forces by {number(total['force_mae'])} eV/Å" in page.text
    assert f"energies by {number(total['energy_mae'])} meV/atom" in page.text
    assert small.model.training_["data_hash"] in page.text
    assert small.model.describe().splitlines()[2] in page.text
    assert "linmlp report 'a b.linmlp'" in page.text
    assert "The training structures given are those of the fit" in page.text


def test_verdicts_are_in_the_summary_and_in_their_sections(full, page):
    assert full.report.verdicts
    for _, verdict in full.report.verdicts:
        assert page.text.count(" ".join(verdict.text.split())) == 2 + verdict.headline
        assert verdict.text in str(full.report)
    told = full.report.to_dict()["sections"]
    runs = [v["text"] for v in told["md"]["verdicts"]][1:3]
    assert runs[0].startswith("NVT at 300 K ran for 0.100 ps")
    assert runs[1].startswith("NVT at 600 K ran for 0.100 ps")


def test_progress_goes_forward(full):
    done = [call[1] for call in full.calls]
    assert done == sorted(done)
    assert done[-1] == len(SECTIONS)
    assert {call[2] for call in full.calls} == {len(SECTIONS)}
    runs = [part for title, part, _ in full.calls if title == "Molecular dynamics" and part % 1]
    assert len(runs) > 10


def test_what_is_not_given_is_said(small, tmp_path):
    report = write_report(small.model, tmp_path / "r.html", small.test, skip=["search", "parity", "core", "mechanics"])
    told = report.to_dict()["sections"]
    assert {
        key: (told[key]["status"], told[key]["reason"]) for key in ("learning", "md", "search", "transferability")
    } == {
        "transferability": ("not made", "give --train DATA"),
        "learning": ("not made", "give --train DATA"),
        "md": ("not made", "give --md STRUCTURE"),
        "search": ("not made", "it was left out (--skip search)"),
    }
    text = Page((tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "Not made: give --md STRUCTURE." in text
    assert "Not made: give --train DATA." in text


def test_a_section_that_fails_keeps_no_other_from_being_made(small, tmp_path):
    report = write_report(
        small.model,
        tmp_path / "r.html",
        small.test,
        md=bulk("Ge", cubic=True),
        skip=("parity", "learning", "search", "core", "mechanics"),
    )
    status = {section.key: section.status for section in report.sections}
    assert (status["errors"], status["md"], status["provenance"]) == ("made", "failed", "made")
    assert "Molecular dynamics" in report.failed
    text = Page((tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "Failed: the structure holds Ge, but the potential was fitted to Si" in text


def test_other_training_structures_are_noticed(small, tmp_path):
    report = write_report(small.model, tmp_path / "r.html", small.test, small.train[1:], skip=QUICK)
    (verdict,) = [verdict for section, verdict in report.verdicts if section.key == "provenance"]
    assert verdict.level == "warning"
    assert small.model.training_["data_hash"][:12] in verdict.text


def test_what_users_named_is_escaped(small, tmp_path):
    test = [atoms.copy() for atoms in small.test[:6]]
    for index, (atoms, labelled) in enumerate(zip(test, small.test, strict=False)):
        atoms.calc = labelled.calc
        atoms.info["config_type"] = ("<script>alert(1)</script>", "a & b")[index % 2]
    write_report(small.model, tmp_path / "r.html", test, skip=QUICK, names={"test": "<i>.xyz"})
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<i>" not in text
    assert "a &amp; b" in text
    assert "&lt;script&gt;" in text


class TestWriting:
    def test_a_full_disk_leaves_the_old_file(self, small, tmp_path, monkeypatch):
        target = tmp_path / "r.html"
        target.write_text("old")

        def half(self, text, **_):
            with open(self, "w") as stream:
                stream.write(text[: len(text) // 2])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_text", half)
        with pytest.raises(ModelFileError, match="No space left on device"):
            write_report(small.model, target, small.test, skip=QUICK)
        monkeypatch.undo()
        assert target.read_text() == "old"
        assert list(tmp_path.iterdir()) == [target]

    def test_where_it_cannot_be_written_is_said_before_the_work(self, small, tmp_path):
        calls = []
        for path in (tmp_path, tmp_path / "missing" / "r.html"):
            with pytest.raises(ModelFileError, match="cannot write"):
                write_report(small.model, path, small.test, progress=lambda *call: calls.append(call))
        assert not calls

    def test_settings_that_cannot_be_used(self, small, tmp_path):
        with pytest.raises(SettingsError, match="no section elastic; known are errors, parity"):
            write_report(small.model, tmp_path / "r.html", small.test, skip=["elastic"])
        with pytest.raises(InputError, match="there is no model file"):
            write_report(tmp_path / "none.linmlp", tmp_path / "r.html", small.test)


class TestCommand:
    @pytest.fixture
    def run(self, monkeypatch, capsys, tmp_path, full, small):
        """Run `linmlp report` in an empty folder; returns (exit code, standard output, standard error)."""
        from linmlp.cli import main

        monkeypatch.chdir(tmp_path)
        write("test.xyz", small.test, format="extxyz")
        write("ge.xyz", bulk("Ge", cubic=True), format="extxyz")

        model = str(full.path.with_name("silicon.linmlp"))

        def run(*arguments):
            monkeypatch.setattr("sys.argv", ["linmlp", "report", model, "--test", "test.xyz", *arguments])
            with pytest.raises(SystemExit) as stop:
                main()
            printed = capsys.readouterr()
            return stop.value.code or 0, printed.out, printed.err

        return run

    def test_it_writes_and_prints_verdicts(self, run, tmp_path, small):
        code, out, err = run(*[part for key in QUICK for part in ("--skip", key)])
        assert (code, err) == (0, "")
        assert f"On {len(small.test)} test structures it is off" in out
        assert "not made: give --md STRUCTURE" in out
        assert "wrote report.html" in out
        assert "--skip core" in Page((tmp_path / "report.html").read_text(encoding="utf-8")).text

    def test_a_failed_section_gives_exit_code_1(self, run):
        code, out, _ = run("--md", "ge.xyz", "-o", "r.html", *[part for key in QUICK for part in ("--skip", key)])
        assert code == 1
        assert "failed: the structure holds Ge" in out

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("-o", "test.xyz"), "test.xyz would be overwritten"),
            (("-T", "hot"), "--temperatures hot: give a number"),
            (("--train", "none.xyz"), "there is no file none.xyz"),
            (("-o", "no/r.html"), "cannot write no/r.html"),
            (("--md", "test.xyz", "--supercell", "x"), "--supercell x: give one whole number"),
            (("--charges", "Li"), "--charges Li: give formal charges such as Li=1"),
            (("--skip", "nothing"), "there is no section nothing"),
        ],
    )
    def test_input_that_cannot_be_used(self, run, arguments, message, tmp_path):
        code, _, err = run(*arguments)
        assert code == 2
        assert message in err
        assert not (tmp_path / "report.html").exists()
