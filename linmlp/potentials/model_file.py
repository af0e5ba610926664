"""Model files: one safetensors file with arrays and a JSON header, which cannot execute code."""

import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from linmlp.exceptions import ModelFileError
from linmlp.structures.files.write import replacing as replacing_file
from linmlp.units import FloatArray

SCHEMA = 3
"""Number of the header's layout; every older one stays readable."""

HEADER = "linmlp"


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise ModelFileError if a file cannot be written there, before work is spent on it.

    Parameters
    ----------
    path : path-like
        Where a model will be written.

    Raises
    ------
    ModelFileError
        If the folder does not exist or cannot be written to, or the path is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise ModelFileError(f"cannot write {target}: it is a folder; give a file name")
    if not os.access(target.parent, os.W_OK):
        raise ModelFileError(f"cannot write {target}: {target.parent} is no folder that can be written to")


def write_model_file(path: str | os.PathLike[str], header: dict[str, Any], arrays: dict[str, FloatArray]) -> None:
    """Write a model file; an existing one is replaced only once the new one is whole.

    Parameters
    ----------
    path : path-like
        Where to write.
    header : dict
        Json-able description.
    arrays : dict of ndarray
        Named arrays.

    Raises
    ------
    ModelFileError
        If the folder cannot be written to.
    """
    target = Path(path)
    text = json.dumps({"schema": SCHEMA, **header})
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with replacing(target) as temporary:
        save_file(tensors, temporary, metadata={HEADER: text})


def replacing(target: Path) -> AbstractContextManager[Path]:
    """Return a context that gives a temporary file beside a file, which replaces that once the block has ended well.

    Parameters
    ----------
    target : Path
        Where to write.

    Returns
    -------
    context manager
        Gives the path where the block writes. Raises ModelFileError if the folder cannot be written to, or the block
        could not write; `target` is as before, then.
    """
    return replacing_file(target, ModelFileError, (OSError, SafetensorError))


def read_model_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, FloatArray]]:
    """Return header and arrays of a model file.

    Parameters
    ----------
    path : path-like
        A file that `write_model_file` wrote.

    Returns
    -------
    header : dict
        With the schema number.
    arrays : dict of ndarray
        Named arrays.

    Raises
    ------
    ModelFileError
        If the file is missing, broken, foreign, or of a newer schema.
    """
    target = Path(path)
    if not target.is_file():
        raise ModelFileError(f"there is no model file {target}; give the path that `save` or `linmlp fit -o` wrote")
    try:
        with safe_open(target, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(
            f"{target} is not a whole linmlp model file ({error}); it may be cut short or of another program: "
            "save the model again"
        ) from error
    try:
        header = json.loads(metadata[HEADER])
        schema = int(header["schema"])
    except (KeyError, ValueError, TypeError) as error:
        raise ModelFileError(f"{target} is a safetensors file, but not a linmlp model (no header)") from error
    if schema > SCHEMA:
        raise ModelFileError(f"{target} has schema {schema}; this linmlp reads up to {SCHEMA}: install a newer linmlp")
    return header, arrays
