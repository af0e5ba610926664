"""The command line.

`linmlp demo`, `convert`, `check`, `front`, `fit`, `evaluate`, `md`, `properties`, `transferability`, `conductivity`,
`report`, `serve`, `export`, `info`.
"""

import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from ase import Atoms
from rich.console import Console

from linmlp.cli.check import print_report
from linmlp.cli.conductivity import conductivity
from linmlp.cli.console import ConsoleReporter
from linmlp.cli.convert import convert
from linmlp.cli.export import export
from linmlp.cli.front import front
from linmlp.cli.md import md
from linmlp.cli.properties import properties
from linmlp.cli.report import report
from linmlp.cli.serve import serve
from linmlp.cli.settings import FitSettings, read_settings, write_settings
from linmlp.cli.transferability import transferability
from linmlp.exceptions import InputError
from linmlp.potentials import LinearPotential, load
from linmlp.potentials.model_file import check_writable
from linmlp.potentials.reporting import reporting_to
from linmlp.structures import check_structures, read_labels, read_structures
from linmlp.structures.data_checks import check_data

app = typer.Typer(
    help="Fit interatomic potentials that are linear in their parameters to DFT data, on CPUs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line; input that cannot be used ends with one sentence and exit code 2."""
    warnings.showwarning = _show_warning
    try:
        app()
    except InputError as error:
        print(f"linmlp: {error}", file=sys.stderr)
        sys.exit(2)


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """Print a warning as one sentence, without the line of code that raised it."""
    print(f"linmlp: warning: {message}", file=sys.stderr)


@app.command()
def fit(
    train: Annotated[Path | None, typer.Argument(help="training structures; formats as for linmlp convert")] = None,
    test: Annotated[Path | None, typer.Option(help="test structures; only reported on")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="model file to write")] = None,
    settings: Annotated[Path | None, typer.Option(help="YAML file with settings; options overrule it")] = None,
    descriptor: Annotated[
        str | None, typer.Option(help="features of atoms: ace, soap, or auto (soap for kernels, else ace)")
    ] = None,
    cutoff: Annotated[str | None, typer.Option(help="cutoff radius in Å, or auto")] = None,
    preset: Annotated[
        str | None, typer.Option(help="ace: size by name, instead of order and degree: fast, balanced, accurate")
    ] = None,
    order: Annotated[int | None, typer.Option(help="ace: correlation order, 1 to 4")] = None,
    max_degree: Annotated[
        str | None, typer.Option(help="ace: largest degree, a number, one per order (16,14,11), or auto")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="ace: densities that elements are mixed to, fewer than elements")
    ] = None,
    n_max: Annotated[int | None, typer.Option(help="soap: radial functions")] = None,
    l_max: Annotated[int | None, typer.Option(help="soap: largest angular momentum")] = None,
    sigma: Annotated[float | None, typer.Option(help="soap: width of the Gaussians, Å")] = None,
    compression: Annotated[str | None, typer.Option(help="soap: off, mu2, mu1nu1 or crossover")] = None,
    kernel: Annotated[
        bool | None, typer.Option("--kernel/--no-kernel", help="kernel to sparse environments (as GAP has it)")
    ] = None,
    n_sparse: Annotated[int | None, typer.Option(help="kernel: environments for each element")] = None,
    zeta: Annotated[float | None, typer.Option(help="kernel: exponent")] = None,
    selection: Annotated[str | None, typer.Option(help="kernel: how environments are chosen: fps, cur, random")] = None,
    pair_term: Annotated[
        bool | None, typer.Option("--pair-term/--no-pair-term", help="kernel: a linear pair term beside it")
    ] = None,
    energy_weight: Annotated[str | None, typer.Option(help="w_E of the loss, auto, or evidence")] = None,
    force_weight: Annotated[str | None, typer.Option(help="w_F of the loss, or auto")] = None,
    stress_weight: Annotated[str | None, typer.Option(help="w_S of the loss, auto, or evidence")] = None,
    energy_per: Annotated[
        str | None, typer.Option(help="energy errors per structure, atom, sqrt_atom, or auto")
    ] = None,
    alpha: Annotated[str | None, typer.Option(help="ridge strength, or auto")] = None,
    e0: Annotated[str | None, typer.Option(help="reference energies: auto, isolated, lstsq, or Si=-0.8,O=-1.5")] = None,
    zbl: Annotated[bool | None, typer.Option("--zbl/--no-zbl", help="repulsive core")] = None,
    energy_key: Annotated[str | None, typer.Option(help="where the energy stands")] = None,
    forces_key: Annotated[str | None, typer.Option(help="where the forces stand")] = None,
    stress_key: Annotated[str | None, typer.Option(help="where the stress stands")] = None,
    virial_key: Annotated[str | None, typer.Option(help="where the virial stands")] = None,
    uncertainty: Annotated[
        bool | None, typer.Option("--uncertainty/--no-uncertainty", help="calibrated uncertainties and grades")
    ] = None,
    n_folds: Annotated[int | None, typer.Option(help="folds of the cross-validation")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of the folds")] = None,
    n_jobs: Annotated[int | None, typer.Option(help="threads; -1 means all cores")] = None,
    max_memory: Annotated[float | None, typer.Option(help="GB that the fit may take")] = None,
    cv_report: Annotated[bool, typer.Option("--cv-report", help="print the cross-validation errors")] = False,
) -> None:
    """Fit a potential to labelled structures and write it to a file."""
    options: dict[str, Any] = {k: v for k, v in locals().items() if k not in ("settings", "cv_report")}
    options["max_degree"] = _degrees(max_degree)
    options["e0"] = _reference(e0)
    chosen = read_settings(settings, options)
    record = _check_targets(chosen, settings)
    structures = read_structures(chosen.train)
    test_structures = _read_test(chosen, structures) if chosen.test else None
    model = _fit(chosen, structures)
    model.save(chosen.output)
    write_settings(chosen, record)
    console.print(model.describe())
    if cv_report:
        console.print(model.describe_cross_validation())
    console.print("\nErrors on the training structures\n" + str(model.evaluate(structures)))
    if test_structures is not None:
        console.print(f"\nErrors on {chosen.test}\n{model.evaluate(test_structures, chosen.uncertainty)}")
    console.print(f"\nwrote {chosen.output} and the settings that made it, {record}")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="model file")],
    data: Annotated[Path, typer.Argument(help="labelled structures")],
    json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
    uncertainty: Annotated[bool, typer.Option("--uncertainty", help="say how well stated uncertainties hold")] = False,
) -> None:
    """Print MAE and RMSE of energy, forces and stress, in total and per group."""
    table = load(model).evaluate(read_structures(data), uncertainty)
    print(table.to_json() if json else table)


@app.command()
def check(
    data: Annotated[Path, typer.Argument(help="labelled structures, as for training")],
    test: Annotated[Path | None, typer.Option(help="labelled test structures")] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
    energy_key: Annotated[str | None, typer.Option(help="where the energy stands")] = None,
    forces_key: Annotated[str | None, typer.Option(help="where the forces stand")] = None,
    stress_key: Annotated[str | None, typer.Option(help="where the stress stands")] = None,
    virial_key: Annotated[str | None, typer.Option(help="where the virial stands")] = None,
) -> None:
    """Look for what is wrong with a data set; exit code 1 if there is an error."""
    train = read_structures(data)
    found = check_data(
        train,
        None if test is None else read_structures(test),
        energy_key=energy_key,
        forces_key=forces_key,
        stress_key=stress_key,
        virial_key=virial_key,
    )
    if json:
        print(found.to_json())
    else:
        print_report(found, len(train), console)
    raise typer.Exit(1 if found.errors else 0)


app.command()(convert)
app.command()(front)
app.command()(md)
app.command()(report)
app.command()(properties)
app.command()(transferability)
app.command()(conductivity)
app.command()(serve)
app.command()(export)


@app.command()
def info(model: Annotated[Path, typer.Argument(help="model file")]) -> None:
    """Print what a model file holds."""
    print(load(model).describe())


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="where to write the model and the picture")] = Path(),
) -> None:
    """Fit silicon to the bundled DFT data, test it, run MD with it, draw a picture."""
    from linmlp.cli.demo import run_demo

    run_demo(folder, console)


def _fit(settings: FitSettings, structures: list[Atoms]) -> LinearPotential:
    start, cpu = time.perf_counter(), time.process_time()
    with ConsoleReporter(console) as reporter, reporting_to(reporter):
        model = settings.potential().fit(structures)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    console.print(f"fitted in {seconds:.1f} s ({cpu:.1f} s of CPU time)\n")
    return model


def _check_targets(settings: FitSettings, settings_file: Path | None) -> Path:
    """Return where the settings will be written, after checking that nothing that is read would be overwritten."""
    check_writable(settings.output)
    record = settings.output.with_suffix(".yaml")
    if settings_file is not None and _is_same(record, settings_file):
        if settings_file.read_text(encoding="utf-8") == settings.to_yaml():
            return record
        record = settings.output.with_suffix(".used.yaml")
    check_writable(record)
    for target in (settings.output, record):
        for source in (settings.train, settings.test, settings_file):
            if source is not None and _is_same(target, source):
                raise InputError(f"{target} would be overwritten, but it is read from; choose another --output")
    if _is_same(record, settings.output):
        raise InputError(f"--output {settings.output}: the settings go to the .yaml file; choose another ending")
    return record


def _is_same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()


def _read_test(settings: FitSettings, train: list[Atoms]) -> list[Atoms]:
    """Return the test structures; whatever is wrong with them is said before the fit, not after it."""
    test = check_structures(read_structures(settings.test or ""))
    known = {symbol for atoms in train for symbol in atoms.get_chemical_symbols()}
    strangers = sorted({symbol for atoms in test for symbol in atoms.get_chemical_symbols()} - known)
    if strangers:
        raise InputError(f"{settings.test} holds {', '.join(strangers)}, but no training structure does; remove them")
    read_labels(test, settings.energy_key, settings.forces_key, settings.stress_key, settings.virial_key)
    return test


def _degrees(text: str | None) -> Any:
    if text is None or text == "auto":
        return text
    parts = text.split(",")
    if not all(part.strip().isdigit() for part in parts):
        raise InputError(f"--max-degree {text}: give a number, one per order such as 16,14,11, or auto")
    return int(text) if len(parts) == 1 else [int(part) for part in parts]


def _reference(text: str | None) -> Any:
    if text is None or "=" not in text:
        return text
    try:
        return {symbol.strip(): float(value) for symbol, value in (part.split("=") for part in text.split(","))}
    except ValueError as error:
        raise InputError(f"--e0 {text}: give auto, isolated, lstsq, or energies such as Si=-0.8,O=-1.5") from error
