"""`linmlp convert`: labelled structures from one format into another."""

from pathlib import Path
from typing import Annotated

import typer
from ase import Atoms

from linmlp.exceptions import InputError
from linmlp.structures import read_labels, read_structures, write_structures
from linmlp.structures.files import check_target, output_format


def convert(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="files to read: extended XYZ, VASP, Quantum ESPRESSO, GPAW, CP2K, .cfg, FitSNAP, ASE", metavar="IN..."
        ),
    ],
    output: Annotated[
        Path, typer.Argument(help="file to write: .xyz, .cfg, .json (FitSNAP), .traj; or a folder", metavar="OUT")
    ],
    format: Annotated[
        str | None, typer.Option(help="extxyz, cfg, fitsnap (a folder) or traj; by default the ending says")
    ] = None,
    elements: Annotated[str | None, typer.Option(help="elements of types 0, 1, ... in .cfg files, as Si,O")] = None,
    index: Annotated[str, typer.Option(help="which structures of each file, as ::10 or -1")] = ":",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a file that exists")] = False,
    energy_key: Annotated[str | None, typer.Option(help="where the energy stands")] = None,
    forces_key: Annotated[str | None, typer.Option(help="where the forces stand")] = None,
    stress_key: Annotated[str | None, typer.Option(help="where the stress stands")] = None,
    virial_key: Annotated[str | None, typer.Option(help="where the virial stands")] = None,
) -> None:
    """Read labelled structures from files of any format and write them all to one."""
    named = None if elements is None else [symbol.strip() for symbol in elements.split(",")]
    chosen = output_format(output, format)
    check_target(output, overwrite)
    structures: list[Atoms] = []
    for path in inputs:
        if path.resolve() == output.resolve():
            raise InputError(f"{output} is read from and cannot be written to at the same time; choose another name")
        found = read_structures(path, index, named)
        print(f"{path}: {len(found)} structures")
        structures += found
    keys = {"energy_key": energy_key, "forces_key": forces_key, "stress_key": stress_key, "virial_key": virial_key}
    labels = read_labels(structures, **keys)
    write_structures(output, structures, chosen, overwrite=overwrite, elements=named, **keys)
    print(f"\n{labels.report()}\n\nwrote {output} ({chosen})")
