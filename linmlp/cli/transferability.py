"""`linmlp transferability`: where a potential may be trusted beyond what it was trained on."""

from pathlib import Path
from typing import Annotated

import typer

from linmlp.evaluation.transferability import assess_transferability, plot_transferability
from linmlp.potentials import load
from linmlp.potentials.model_file import check_writable
from linmlp.structures import read_structures


def transferability(
    model: Annotated[Path, typer.Argument(help="model file")],
    train: Annotated[Path, typer.Option(help="structures that the model was fitted to")],
    test: Annotated[Path | None, typer.Option(help="labelled structures that it was not fitted to")] = None,
    groups: Annotated[
        str, typer.Option(help="what is left out together: config_type, trajectory, or a key of info")
    ] = "config_type",
    temperature_key: Annotated[
        str, typer.Option(help="key of info with a temperature, or another number to go by")
    ] = "temperature",
    n_folds: Annotated[
        int | None, typer.Option(help="folds of the cross-validation to compare with; 0 for none")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON instead of tables")] = False,
    plot: Annotated[Path | None, typer.Option(help="picture to write")] = None,
) -> None:
    """Say where a potential may be trusted: groups left out, grades of extrapolation, volumes, temperatures."""
    if plot is not None:
        check_writable(plot)
    result = assess_transferability(
        load(model),
        read_structures(train),
        None if test is None else read_structures(test),
        groups=groups,
        temperature_key=temperature_key,
        n_folds=n_folds,
    )
    print(result.to_json() if json else result)
    if plot is not None:
        plot_transferability(result).savefig(plot, dpi=130)
