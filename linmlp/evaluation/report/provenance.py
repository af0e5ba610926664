"""Where the potential and the report come from."""

from __future__ import annotations

import json
import platform
from datetime import datetime
from importlib.metadata import version
from typing import Any

from linmlp.evaluation.report.contract import Advance, Block, Content, Heading, Preformatted, Section, Table, Verdict
from linmlp.evaluation.report.inputs import Inputs
from linmlp.potentials.model_file import read_model_file
from linmlp.potentials.persistence import PACKAGES, SETTINGS
from linmlp.potentials.provenance import data_hash
from linmlp.potentials.setting_states import plain
from linmlp.structures import LabelSet

GIVEN = {"train": "training structures", "md": "start of MD", "crystal": "crystal"}
"""What may be given beside test structures."""


class ProvenanceSection(Section):
    """The model in words, settings, versions, hashes, date and command."""

    key = "provenance"
    title = "Provenance"

    def make(self, inputs: Inputs, advance: Advance) -> Content:
        """Return what the model file says, and what made this report."""
        header = {} if inputs.model_file is None else read_model_file(inputs.model_file)[0]
        verdicts = _same_data(inputs)
        blocks: list[Block] = [
            Preformatted(inputs.model.describe(), wraps=True),
            _origin_table(inputs),
            Heading("Training structures"),
            Preformatted(str(inputs.model.training_["labels"])),
            Heading("Settings of the fit"),
            _settings_table(inputs),
            Heading("Versions"),
            _versions_table(header.get("versions", {})),
        ]
        return Content(tuple(verdicts), tuple(blocks))


def _same_data(inputs: Inputs) -> list[Verdict]:
    """Return whether the training structures given are those of the fit."""
    if inputs.trained is None:
        return []
    rejected = {index for index, _ in inputs.model.rejected_}
    kept = [i for i in range(len(inputs.trained.structures)) if i not in rejected]
    found = data_hash([inputs.trained.structures[i] for i in kept], _some(inputs.trained.labels, kept))
    if found == inputs.model.training_["data_hash"]:
        return [Verdict("good", "The training structures given are those of the fit (same hash).")]
    return [
        Verdict(
            "warning",
            f"The training structures given (hash {found[:12]}) are not, or not in the same order, those of the fit "
            f"(hash {inputs.model.training_['data_hash'][:12]}).",
        )
    ]


def _some(labels: LabelSet, kept: list[int]) -> LabelSet:
    return LabelSet(tuple(labels[i] for i in kept), labels.sources)


def _origin_table(inputs: Inputs) -> Table:
    """Return when and from what the report was made."""
    rows = [
        ("model", "in memory" if inputs.model_file is None else str(inputs.model_file)),
        ("training data hash", str(inputs.model.training_["data_hash"])),
        ("test structures", f"{inputs.name('test')}; hash {data_hash(inputs.tested.structures, inputs.tested.labels)}"),
        *((what, inputs.names[part]) for part, what in GIVEN.items() if part in inputs.names),
        ("command", inputs.command or "Python"),
        ("made on", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")),
    ]
    return Table("Origin of this report.", ("what", "value"), tuple(rows), is_text=True)


def _settings_table(inputs: Inputs) -> Table:
    """Return the settings as the user gave them."""
    model = inputs.model
    rows = [("descriptor", " ".join(repr(model.descriptor_).split()))]
    rows += [(name, _spoken(plain(getattr(model, name)))) for name in SETTINGS]
    return Table("As given; what automatic ones became stands above.", ("setting", "value"), tuple(rows), is_text=True)


def _spoken(value: Any) -> str:
    """Return a setting as text."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _versions_table(written: dict[str, str]) -> Table:
    """Return the versions that wrote the model and those that made the report."""
    rows = [(package, written.get(package, "–"), version(package)) for package in PACKAGES]
    rows.append(("Python", "–", platform.python_version()))
    return Table("Versions of packages.", ("package", "wrote the model", "made the report"), tuple(rows), is_text=True)
