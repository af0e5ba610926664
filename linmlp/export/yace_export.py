"""A fitted linear ACE potential in, files for LAMMPS out."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from linmlp.descriptors import ACE
from linmlp.exceptions import ExportError, SettingsError
from linmlp.export.lammps_pairs import commands, overlay_styles, table_text
from linmlp.export.verification import Deviations, verify
from linmlp.export.yace_file import END, read_yace_file
from linmlp.export.yace_writer import yace_text
from linmlp.potentials import LinearPotential, Predictor
from linmlp.potentials.model_file import check_writable, replacing
from linmlp.structures import PairTable

SPLINE_BIN = 0.001
"""Width of the bins of ML-PACE's radial tables, Å."""

MAX_BIN = 0.02
"""Bins wider than this leave forces with two digits."""


@dataclass(frozen=True)
class ExportedPotential:
    """What `write_yace` wrote.

    Attributes
    ----------
    path : Path
        The `.yace` file.
    table : Path or None
        File with pair tables, if the potential stands on one.
    commands : tuple of str
        Lines of a LAMMPS input that use it.
    deviations : Deviations
        Of ML-PACE with its tables from the potential, as found before the file got its name.
    """

    path: Path
    table: Path | None
    commands: tuple[str, ...]
    deviations: Deviations

    def __str__(self) -> str:
        """Return files, deviations and commands as text."""
        files = f"{self.path}" if self.table is None else f"{self.path} and {self.table}"
        return "\n".join(
            [
                f"wrote {files}",
                f"checked: ML-PACE's radial tables deviate from the potential by {self.deviations} (relative)",
                "",
                *self.commands,
            ]
        )


def write_yace(
    model: LinearPotential, path: str | Path, overwrite: bool = False, spline_bin: float = SPLINE_BIN
) -> ExportedPotential:
    """Write a linear ACE potential for `pair_style pace` of stock LAMMPS.

    The radial functions of `ACE` are those of ML-PACE, so that the file holds the potential itself, with its reference
    energies. ZBL repulsion and pair tables are not in it: the format has no place for them. They are added by the pair
    styles `zbl` (the same function) and `table` (a second file), which the returned commands spell out.

    Parameters
    ----------
    model : LinearPotential
        Fitted, with `ACE` as descriptor.
    path : path-like
        Where to write; must end in `.yace`.
    overwrite : bool, default=False
        Whether an existing file may be replaced.
    spline_bin : float, default=0.001
        Width in Å of the bins of the tables that ML-PACE makes of radial functions; half of it has a sixteenth of the
        error of energies and an eighth of that of forces, and tables of twice the size.

    Returns
    -------
    ExportedPotential
        Paths, commands and deviations; printed, it tells how to use the file.

    Raises
    ------
    SettingsError
        If the potential has another descriptor, or a baseline that LAMMPS does not know.
    ModelFileError
        If the file cannot be written.
    ExportError
        If a file exists, or what was written does not give what the potential gives. Nothing is left behind.

    Notes
    -----
    Before the file gets its name it is read again by an evaluator that knows only the format
    (`linmlp.export.yace_evaluator`) and compared with the potential on clusters, a slab, cells smaller than the cutoff,
    dimers and separate atoms.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from linmlp import ACE, LinearPotential
    >>> from linmlp.datasets import load_silicon
    >>> from linmlp.export import write_yace
    >>> settings = {"alpha": 1e-6, "energy_weight": 10.0, "stress_weight": 10.0, "energy_per": "structure"}
    >>> train, _ = load_silicon()
    >>> model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(6, 4)), **settings).fit(train[:30])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     exported = write_yace(model, Path(folder) / "si.yace")
    >>> exported.commands[1]
    'pair_coeff * * pace si.yace Si'
    """
    target = Path(path)
    predictor = _check(model, target, spline_bin)
    table = target.with_suffix(".table") if any(isinstance(b, PairTable) for b in model.baselines_) else None
    for file in (target, table):
        if file is not None and file.exists() and not overwrite:
            raise ExportError(f"{file} exists; choose another name, or say overwrite (--overwrite)")
    parameters, elements = model.descriptor_.parameters_, model.descriptor_.elements_
    styles = overlay_styles(model.baselines_, elements, "" if table is None else table.name)
    lines = commands(styles, elements, target.name)
    e0 = np.array([model.e0_[chemical_symbols[z]] for z in parameters.numbers])
    text = _header(model, lines) + yace_text(parameters, model.coef_, e0.tolist(), spline_bin) + END
    with ExitStack() as files:
        if table is not None:
            files.enter_context(replacing(table)).write_text(table_text(model.baselines_, elements), encoding="utf-8")
        temporary = files.enter_context(replacing(target))
        temporary.write_text(text, encoding="utf-8")
        found = verify(read_yace_file(temporary, str(target)), parameters, e0, predictor)
    return ExportedPotential(target, table, tuple(lines), found)


def model_hash(model: LinearPotential) -> str:
    """Return a hash of all that a prediction depends on, 16 hexadecimal digits.

    Parameters
    ----------
    model : LinearPotential
        Fitted.

    Returns
    -------
    str
        The start of a SHA-256.
    """
    settings, arrays = model.descriptor_.to_state()
    state = [settings, model.reference_.to_state(), [baseline.to_state() for baseline in model.baselines_]]
    digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode())
    for name, array in sorted({**arrays, "coef": model.coef_}.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array, dtype=float).tobytes())
    return digest.hexdigest()[:16]


def _check(model: LinearPotential, target: Path, spline_bin: float) -> Predictor:
    """Raise where the potential cannot be exported; return what evaluates it without baselines."""
    if not isinstance(model, LinearPotential):
        raise SettingsError(
            f"write_yace takes a fitted LinearPotential, not {type(model).__name__}; of a search give best_estimator_"
        )
    predictor = model.predictor()
    if type(model.descriptor_) is not ACE:
        raise SettingsError(
            f"LAMMPS's pair_style pace evaluates linear ACE potentials; this one has the descriptor "
            f"{type(model.descriptor_).__name__}: fit LinearPotential(ACE(...)) to export it"
        )
    if target.suffix != ".yace":
        raise ExportError(f"{target} must end in .yace, as LAMMPS knows the format by that")
    if not 0.0 < spline_bin <= MAX_BIN:
        raise SettingsError(f"spline_bin={spline_bin!r}; it must be above 0 and up to {MAX_BIN} Å")
    check_writable(target)
    if not predictor.baselines:
        return predictor
    return Predictor(model.descriptor_, model.coef_, model.reference_)


def _header(model: LinearPotential, lines: Sequence[str]) -> str:
    """Return comments: what this is, and how to use it."""
    elements = model.descriptor_.elements_
    types = ", ".join(f"{place} {symbol}" for place, symbol in enumerate(elements, 1))
    comments = [
        f"linear ACE potential for {', '.join(elements)}, written by linmlp {version('linmlp')}",
        f"model {model_hash(model)}, trained on data {model.training_['data_hash'][:16]}",
        f"In LAMMPS, with units metal and the atom types {types}:",
        *(f"  {line}" for line in lines),
    ]
    return "".join(f"# {comment}\n" for comment in comments)
