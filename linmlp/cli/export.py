"""`linmlp export`: a potential as a file for LAMMPS."""

from pathlib import Path
from typing import Annotated

import typer

from linmlp.potentials import load


def export(
    model: Annotated[Path, typer.Argument(help="model file")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="file to write, ending in .yace; by default beside the model")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an existing file")] = False,
    spline_bin: Annotated[float, typer.Option(help="bins of LAMMPS's radial tables, Å")] = 0.001,
) -> None:
    """Write a potential for pair_style pace of LAMMPS, check the file, and print the lines that use it."""
    from linmlp.export import write_yace

    target = model.with_suffix(".yace") if output is None else output
    print(write_yace(load(model), target, overwrite, spline_bin))
