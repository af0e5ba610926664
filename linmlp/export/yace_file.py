"""`.yace` files of LAMMPS ML-PACE: text in, checked records out.

The format is that of `ACECTildeBasisSet::load_yaml` in ML-PACE. Everything is read as it stands; what it means for
energies is `linmlp.export.yace_evaluator`.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase.data import atomic_numbers

from linmlp.exceptions import ModelFileError
from linmlp.export.yace_fields import Fields
from linmlp.units import FloatArray, IntArray

FAMILIES = ("ChebExpCos", "ChebPow", "ChebLinear", "SBessel")
"""Radial functions of ML-PACE (`TEST_SBessel` is another name of the last)."""

END = "# end of the potential\n"
"""Last line of a file that linmlp wrote: one that was cut between two functions is YAML all the same."""

PATCHED = ("splinenodalvals", "splinenodalderivs", "nbins", "radtable")
"""Keys of patched libraries, which stock LAMMPS does not know."""


@dataclass(frozen=True, eq=False)
class Bond:
    """Radial functions around one element for neighbors of another; distances in Å.

    `coefficients` has the shape (n_radial, max_l + 1, n_base); names as in `linmlp.export.yace_writer`.
    """

    family: str
    scaling: float
    coefficients: FloatArray
    cutoff: float
    cutoff_width: float
    inner: float
    inner_width: float
    core_prefactor: float
    core_exponent: float
    inner_type: str


@dataclass(frozen=True, eq=False)
class YaceFunction:
    """A sum of products of A: element, n (from 0) and l of each factor, m (n_terms, rank), coefficients (n_terms,)."""

    elements: tuple[int, ...]
    ns: tuple[int, ...]
    ls: tuple[int, ...]
    ms: IntArray
    coefficients: FloatArray


@dataclass(frozen=True, eq=False)
class YaceFile:
    """A linear potential in the format of ML-PACE.

    Attributes
    ----------
    elements : tuple of str
        Symbols.
    e0 : ndarray of shape (n_elements,)
        Energy of a separate atom, eV.
    spline_bin : float
        Width of the bins of radial tables, Å.
    core_limits : ndarray of shape (n_elements,)
        Core energy of an atom in eV from which on its ACE energy is switched off.
    bonds : dict of (int, int) to Bond
        By center and neighbor.
    functions : tuple of tuples of YaceFunction
        For each central element.
    """

    elements: tuple[str, ...]
    e0: FloatArray
    spline_bin: float
    core_limits: FloatArray
    bonds: Mapping[tuple[int, int], Bond]
    functions: tuple[tuple[YaceFunction, ...], ...]

    def with_order(self, order: Sequence[int]) -> "YaceFile":
        """Return the same with the elements in another order.

        Parameters
        ----------
        order : sequence of int
            Places of the elements now.

        Returns
        -------
        YaceFile
            The same potential.
        """
        new = {old: place for place, old in enumerate(order)}
        return replace(
            self,
            elements=tuple(self.elements[k] for k in order),
            e0=self.e0[list(order)],
            core_limits=self.core_limits[list(order)],
            bonds={(new[z], new[e]): bond for (z, e), bond in self.bonds.items()},
            functions=tuple(
                tuple(replace(f, elements=tuple(new[e] for e in f.elements)) for f in self.functions[k]) for k in order
            ),
        )


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Keys may be lists of integers; libyaml is ten times as fast, where it is there."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Return a dict; a key that is a list becomes a tuple."""
        content: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            content[tuple(key) if isinstance(key, list) else key] = self.construct_object(value_node, deep=True)
        return content


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _Loader.construct_mapping)


def read_yace_file(path: Path, name: str | None = None) -> YaceFile:
    """Return the content of a `.yace` file with a linear potential.

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        What messages call it; the path by default.

    Returns
    -------
    YaceFile
        Checked: every ordered pair of elements has a bond, lengths and kinds of numbers are right.

    Raises
    ------
    ModelFileError
        If the file is missing or cut short, not linear, or of a dialect that stock LAMMPS does not evaluate with
        tables of its own functions.
    """
    called = str(path) if name is None else name
    if not path.is_file():
        raise ModelFileError(f"there is no file {called}; give the path of a .yace file")
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        where = " ".join(str(error).split())
        raise ModelFileError(f"{called} is not a whole .yace file ({where}); it may be cut short") from error
    if "written by linmlp" in text.partition("\n")[0] and not text.endswith(END):
        raise ModelFileError(f"{called} was cut short: its last line is missing; export the potential again")
    if not isinstance(content, dict):
        raise ModelFileError(f"{called} is no .yace file: wanted a mapping with elements, bonds and functions")
    return _parse(Fields(content, called))


def _parse(top: Fields) -> YaceFile:
    elements = tuple(str(symbol) for symbol in top.get("elements", list))
    unknown = [symbol for symbol in elements if symbol not in atomic_numbers]
    if unknown or not elements or len(set(elements)) < len(elements):
        top.refuse(f"its elements are {list(elements)}; wanted are different symbols such as Si")
    places = range(len(elements))
    embeddings, bonds, functions = (top.get(name, dict) for name in ("embeddings", "bonds", "functions"))
    _refuse_dialects(top, bonds)
    limits = [_core_limit(top.child(embeddings, z, f"embedding of {elements[z]}")) for z in places]
    e0 = top.floats("E0", len(elements)) if "E0" in top.content else np.zeros(len(elements))
    return YaceFile(
        elements,
        e0,
        top.number("deltaSplineBins"),
        np.array(limits),
        {(i, j): _bond(top.child(bonds, (i, j), f"bond {elements[i]}-{elements[j]}")) for i in places for j in places},
        tuple(_functions(top, functions.get(z), z, len(elements)) for z in places),
    )


def _refuse_dialects(top: Fields, bonds: Mapping[Any, Any]) -> None:
    """Raise for files that another library than stock ML-PACE with tables of its own functions evaluates."""
    for bond in (bond for bond in bonds.values() if isinstance(bond, dict)):
        name = str(bond.get("radbasename"))
        patched = [key for key in PATCHED if key in bond]
        if patched or name == "Tabulated":
            top.refuse(
                f"its radial functions are tables ({', '.join(patched) or name}) for a patched LAMMPS, which stock "
                "ML-PACE does not read; export the potential with radial functions of ML-PACE"
            )
        if name.startswith("ACE.jl"):
            top.refuse(
                f"its radial functions are polynomials of ACE.jl ({name}), which linmlp does not evaluate; read are "
                f"{', '.join(FAMILIES)}"
            )


def _core_limit(embedding: Fields) -> float:
    """Check that an embedding is linear, and return the core energy up to which it is."""
    ndensity = embedding.integer("ndensity")
    parameters = embedding.floats("FS_parameters", 2 * ndensity)
    if ndensity != 1 or parameters.tolist() != [1.0, 1.0]:
        embedding.refuse(
            f"it is not linear (ndensity {ndensity}, FS_parameters {parameters.tolist()}); linmlp evaluates linear "
            "potentials, ndensity 1 with FS_parameters [1, 1]"
        )
    return embedding.number("rho_core_cutoff") - embedding.number("drho_core_cutoff")


def _bond(bond: Fields) -> Bond:
    family = str(bond.get("radbasename", str)).removeprefix("TEST_")
    if family not in FAMILIES:
        bond.refuse(f"radbasename {family} is not known; read are {', '.join(FAMILIES)}")
    shape = (bond.integer("nradmax"), bond.integer("lmax") + 1, bond.integer("nradbasemax"))
    coefficients = bond.floats("radcoefficients", shape)
    inner_type = str(bond.content.get("inner_cutoff_type", "density"))
    if inner_type not in ("distance", "density", "zbl"):
        bond.refuse(f"inner_cutoff_type {inner_type} is not known; wanted is distance, density or zbl")
    return Bond(
        family,
        float(bond.floats("radparameters", None)[0]),
        coefficients,
        bond.number("rcut"),
        bond.number("dcut"),
        bond.number("rcut_in", 0.0),
        bond.number("dcut_in", 0.0),
        bond.number("prehc"),
        bond.number("lambdahc"),
        inner_type,
    )


def _functions(top: Fields, listed: Any, center: int, n_elements: int) -> tuple[YaceFunction, ...]:
    if not isinstance(listed, list):
        top.refuse(f"there is no list of functions of element {center}; the file may be cut short")
    return tuple(
        _function(top.child(listed, k, f"function {k} of element {center}"), n_elements) for k in range(len(listed))
    )


def _function(function: Fields, n_elements: int) -> YaceFunction:
    rank, n_terms = function.integer("rank"), function.integer("num_ms_combs")
    elements, ns, ls = (function.integers(name, rank) for name in ("mus", "ns", "ls"))
    ms = function.integers("ms_combs", n_terms * rank).reshape(n_terms, rank)
    coefficients = function.floats("ctildes", n_terms)
    if rank < 1 or elements.min() < 0 or elements.max() >= n_elements or ns.min() < 1 or (np.abs(ms) > ls).any():
        function.refuse("mus, ns, ls and ms_combs do not fit together: an element, n or m is out of range")
    return YaceFunction(tuple(elements.tolist()), tuple((ns - 1).tolist()), tuple(ls.tolist()), ms, coefficients)
