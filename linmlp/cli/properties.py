"""`linmlp properties`: equation of state, elastic constants, vacancies, surfaces and phonons of a crystal."""

import json as json_format
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from linmlp.exceptions import InputError
from linmlp.potentials import load
from linmlp.structures import read_structures

DEFAULT = ("eos", "elastic", "vacancy")
"""What is computed where nothing is asked for."""


def properties(
    model: Annotated[Path, typer.Argument(help="model file")],
    structure: Annotated[Path, typer.Argument(help="crystal, any file that ASE reads; its last structure is taken")],
    eos: Annotated[bool, typer.Option("--eos", help="equation of state")] = False,
    elastic: Annotated[bool, typer.Option("--elastic", help="elastic constants")] = False,
    vacancy: Annotated[bool, typer.Option("--vacancy", help="vacancy formation energies")] = False,
    surfaces: Annotated[str | None, typer.Option(help="surface energies, for example 100,111 or 1-10")] = None,
    phonons: Annotated[bool, typer.Option("--phonons", help="phonons (needs phonopy)")] = False,
    reference: Annotated[
        Path | None, typer.Option(help="JSON file with reference values, by property and name: elastic: {C11: 153}")
    ] = None,
    fixed_cell: Annotated[bool, typer.Option("--fixed-cell", help="do not relax the cell first")] = False,
    clamped: Annotated[bool, typer.Option("--clamped", help="elastic constants with clamped ions")] = False,
    json: Annotated[bool, typer.Option("--json", help="print JSON instead of tables")] = False,
) -> None:
    """Compute properties of a crystal; the equation of state, elastic constants and vacancies by default."""
    from linmlp.evaluation import mechanics

    potential, crystal = load(model), read_structures(structure)[-1]
    indices = [] if surfaces is None else [_miller(text) for text in surfaces.split(",")]
    wanted = {"eos": eos, "elastic": elastic, "vacancy": vacancy, "surfaces": bool(indices), "phonons": phonons}
    if not any(wanted.values()):
        wanted |= dict.fromkeys(DEFAULT, True)
    known = _read_reference(reference, wanted)
    first: tuple[Any, Any] = (potential, crystal)
    cell: dict[str, Any] = {"relax_cell": not fixed_cell}
    compute: dict[str, Callable[[], Any]] = {
        "eos": lambda: mechanics.equation_of_state(*first, known.get("eos"), **cell),
        "elastic": lambda: mechanics.elastic_constants(*first, known.get("elastic"), relax_ions=not clamped, **cell),
        "vacancy": lambda: mechanics.vacancy_energies(*first, known.get("vacancy"), **cell),
        "surfaces": lambda: mechanics.surface_energies(*first, indices, known.get("surfaces"), **cell),
        "phonons": lambda: mechanics.phonons(*first, known.get("phonons"), **cell),
    }
    if wanted["phonons"]:
        mechanics.check_phonopy()
    found = {}
    for name in [name for name, asked in wanted.items() if asked]:
        found[name] = compute[name]()
        if not json:
            print(f"{found[name]}\n")
    if json:
        print(json_format.dumps({name: result.to_dict() for name, result in found.items()}, indent=1))


def _miller(text: str) -> tuple[int, int, int]:
    """Return Miller indices of one digit each, such as 111 or 1-10."""
    numbers: list[int] = []
    sign = 1
    for letter in text.strip():
        if letter == "-" and sign == 1:
            sign = -1
        elif letter.isdigit():
            numbers.append(sign * int(letter))
            sign = 1
        else:
            numbers = []
            break
    if len(numbers) != 3 or sign == -1:
        raise InputError(
            f"--surfaces {text}: give three digits, each with a minus in front or not, such as 100,111 or 1-10"
        )
    return numbers[0], numbers[1], numbers[2]


def _read_reference(path: Path | None, wanted: dict[str, bool]) -> dict[str, Any]:
    """Return reference values by property."""
    if path is None:
        return {}
    try:
        values = json_format.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"--reference {path}: {error}; give a JSON file") from error
    if not isinstance(values, dict) or not all(isinstance(item, dict) for item in values.values()):
        raise InputError(
            f'--reference {path}: wanted values by property and name, such as {{"elastic": {{"C11": 153}}}}'
        )
    strange = [name for name in values if not wanted.get(name)]
    if strange:
        raise InputError(
            f"--reference {path} names {', '.join(strange)}; what is computed is "
            f"{', '.join(name for name, asked in wanted.items() if asked)}"
        )
    return values
