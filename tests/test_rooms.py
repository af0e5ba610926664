"""A room imports only from rooms above it; only a function body may open a door downward."""

import ast
from pathlib import Path

import pytest

import linmlp

ROOMS = (
    "units",
    "exceptions",
    "structures",
    "datasets",  # re-exports from structures
    "neighbors",
    "descriptors",
    "system",
    "solvers",
    "potentials",
    "calculators",
    "export",
    "evaluation",
    "cli",
)
PACKAGE = Path(linmlp.__file__).parent
FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in ROOMS
)


def imported_rooms(path):
    """Rooms named by imports that run when the module is imported (not those inside functions)."""
    pending, rooms = [ast.parse(path.read_text())], set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("linmlp."):
            rooms.add(node.module.split(".")[1])
        if isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("linmlp.")}
        pending.extend(ast.iter_child_nodes(node))
    return rooms


def test_there_are_rooms_to_check():
    assert len(FILES) > 30


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_up(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    below = {other for other in imported_rooms(path) if ROOMS.index(other) > ROOMS.index(room)}
    assert not below, f"{path} is in {room} and imports from {below}"


def test_solvers_know_nothing_of_atoms():
    for path in FILES:
        if "solvers" in path.parts:
            assert "ase" not in {
                name.split(".")[0]
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Import | ast.ImportFrom)
                for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
            }, path
