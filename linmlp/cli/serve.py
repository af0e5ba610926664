"""`linmlp serve`: a potential as a client of i-PI, or of any other code that speaks its protocol."""

from pathlib import Path
from typing import Annotated

import typer
from ase.calculators.socketio import SocketClient, actualunixsocketname

from linmlp.exceptions import InputError, SettingsError
from linmlp.potentials import load
from linmlp.structures import read_structures


def serve(
    model: Annotated[Path, typer.Argument(help="model file")],
    structure: Annotated[
        Path, typer.Argument(help="structure with the atoms in the order of the server; its last frame")
    ],
    unixsocket: Annotated[str | None, typer.Option(help="name of a local socket, as in <ffsocket mode='unix'>")] = None,
    host: Annotated[str, typer.Option(help="where the server runs")] = "localhost",
    port: Annotated[int | None, typer.Option(help="its port, as in <ffsocket mode='inet'>")] = None,
) -> None:
    """Give i-PI (a running server) energies, forces and virials, until it ends."""
    if (unixsocket is None) == (port is None):
        raise SettingsError("give either --unixsocket NAME or --port NUMBER, as the server has it")
    atoms = read_structures(structure)[-1]
    atoms.set_constraint()
    atoms.calc = load(model).calculator()
    atoms.get_potential_energy()  # what cannot be computed is said before the server waits for it
    try:
        client = SocketClient(host=host, port=port, unixsocket=unixsocket)
    except OSError as error:
        where = f"{host}:{port}" if unixsocket is None else actualunixsocketname(unixsocket)
        raise InputError(f"there is no server at {where} ({error.strerror or error}); start it first") from error
    client.run(atoms, use_stress=bool(atoms.cell.rank == 3))
