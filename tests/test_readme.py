"""The README's commands are the ones that are tested."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_ci_runs_the_second_command():
    commands = re.findall(r"```bash\n(python3 -m venv.*?)\n```", (ROOT / "README.md").read_text())
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text().splitlines()


def test_picture_is_there():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", (ROOT / "README.md").read_text())
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
