"""`linmlp front`: errors of potentials of growing size against what they cost, and the one to take."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from linmlp.cli.console import ConsoleReporter
from linmlp.descriptors import ACE
from linmlp.evaluation.front import Front, compute_front, write_front
from linmlp.evaluation.front.output import check_output
from linmlp.evaluation.front.points import check_budget
from linmlp.exceptions import InputError, SettingsError
from linmlp.potentials import LinearPotential
from linmlp.potentials.model_file import check_writable
from linmlp.potentials.reporting import Silent, reporting_to
from linmlp.structures import read_structures, structure_groups

console = Console(highlight=False, soft_wrap=True)


def front(
    data: Annotated[Path, typer.Argument(help="training structures; formats as for linmlp convert")],
    sizes: Annotated[
        str | None, typer.Option(help="functions to select, as 50,100,200; 100 to 1000 by default")
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="largest degrees per order of what is selected from, as 18,15,13,8")
    ] = None,
    budget: Annotated[float | None, typer.Option(help="largest cost, µs per atom and step on one thread")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="page, data or picture: .html, .json, .png, .svg, .pdf")
    ] = None,
    fit: Annotated[Path | None, typer.Option(help="fit the recommended potential and write this model file")] = None,
    cutoff: Annotated[str, typer.Option(help="cutoff radius in Å, or auto")] = "auto",
    groups: Annotated[
        str | None, typer.Option(help="what no fold divides: trajectory, config_type, or a key of info")
    ] = None,
    n_folds: Annotated[int, typer.Option(help="folds of the cross-validation")] = 5,
    seed: Annotated[int, typer.Option(help="seed of the folds")] = 0,
    n_jobs: Annotated[int | None, typer.Option(help="threads; -1 means all cores")] = -1,
    max_memory: Annotated[float | None, typer.Option(help="GB that may be taken")] = None,
    energy_key: Annotated[str | None, typer.Option(help="where the energy stands")] = None,
    forces_key: Annotated[str | None, typer.Option(help="where the forces stand")] = None,
    stress_key: Annotated[str | None, typer.Option(help="where the stress stands")] = None,
    virial_key: Annotated[str | None, typer.Option(help="where the virial stands")] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """Print errors of potentials of growing size against the measured time of a step, and which one to take."""
    check_budget(budget)
    _check_targets(data, output, fit)
    potential = LinearPotential(
        _pool(pool, cutoff),
        energy_key=energy_key,
        forces_key=forces_key,
        stress_key=stress_key,
        virial_key=virial_key,
        n_folds=n_folds,
        n_jobs=n_jobs,
        max_memory=max_memory,
        random_state=seed,
    )
    structures = read_structures(data)
    chosen = None if sizes is None else _whole_numbers("--sizes", sizes)
    kept_together = None if groups is None else structure_groups(structures, groups)
    settings: dict[str, Any] = {"sizes": chosen, "cv": n_folds, "groups": kept_together, "random_state": seed}
    with ConsoleReporter(console) as bar, reporting_to(Silent() if json else bar):
        found = compute_front(structures, potential, **settings)
    print(found.to_json(budget) if json else f"\n{found}")
    if output is not None:
        write_front(found, output, budget)
    _recommend(found, budget, fit, json)


def _recommend(found: Front, budget: float | None, fit: Path | None, json: bool) -> None:
    """Say which potential to take, and fit it if that is wanted."""
    point = found.recommend(budget)
    if not json:
        console.print(f"\n{found.statement(budget)}")
    if fit is None:
        return
    with ConsoleReporter(console) as bar, reporting_to(Silent() if json else bar):
        model = found.fit(point)
    model.save(fit)
    if not json:
        console.print(f"\n{model.describe()}\n\nwrote {fit}")


def _check_targets(data: Path, output: Path | None, fit: Path | None) -> None:
    """Raise where a file cannot be written, or would replace one that is read or written."""
    if output is not None:
        check_output(output)
    if fit is not None:
        check_writable(fit)
    targets = [path.resolve() for path in (output, fit) if path is not None]
    if data.resolve() in targets or len(set(targets)) < len(targets):
        raise InputError(f"{data}, --output and --fit must be different files")


def _pool(degrees: str | None, cutoff: str) -> ACE:
    """Return what is selected from; "auto" degrees are those of all presets."""
    radius: Any = cutoff
    if cutoff != "auto":
        try:
            radius = float(cutoff)
        except ValueError as error:
            raise SettingsError(f"--cutoff {cutoff}: give a number of Å, or auto") from error
    if degrees is None:
        return ACE(radius)
    own = _whole_numbers("--pool", degrees)
    return ACE(radius, order=len(own), max_degree=own)


def _whole_numbers(option: str, text: str) -> Sequence[int]:
    """Return whole numbers that stand with commas in between."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        raise SettingsError(f"{option} {text}: give whole numbers with commas in between, such as 50,100,200")
    return tuple(int(part) for part in parts)
