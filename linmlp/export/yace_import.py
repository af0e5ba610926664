"""A linear `.yace` file of ML-PACE in, a potential that linmlp evaluates out.

Nothing is approximated: radial functions are linear combinations of raw functions that the loops know
(`linmlp.descriptors.ace.forms`), and a product of A with its coefficients per m-tuple must be a linear combination of
the invariants that there are of its channels (`linmlp.descriptors.ace.basis`), or it is no invariant.
"""

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from linmlp.descriptors.ace.basis import COUPLED, MAX_ORDER, Channel, Function, channel_key, factors
from linmlp.descriptors.ace.imported import ImportedACE
from linmlp.descriptors.ace.intermediates import intermediate_momenta
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.exceptions import LinmlpWarning, ModelFileError
from linmlp.export.couplings import Terms, add_terms, fold, terms_of
from linmlp.export.yace_bonds import read_bonds
from linmlp.export.yace_file import YaceFile, YaceFunction, read_yace_file
from linmlp.potentials import LinearPotential
from linmlp.potentials.incremental import settings_snapshot
from linmlp.solvers import Solution
from linmlp.structures import Baseline, PaceCore, ReferenceEnergies
from linmlp.system import LossWeights
from linmlp.units import FloatArray

INVARIANT_LIMIT = 1e-8
"""Largest deviation of coefficients from the invariants, over the largest: some files have few digits."""

CORE_LIMIT = 1000.0
"""Least core energy of an atom, eV, at which ML-PACE may begin to switch its ACE energy off, which linmlp does not."""


def read_yace(path: str | Path) -> LinearPotential:
    """Return the potential of a linear `.yace` file, of linmlp or of another program.

    Parameters
    ----------
    path : path-like
        A file for `pair_style pace`, linear (ndensity 1 with exponent 1), up to order 4, with radial functions
        ChebExpCos, ChebPow (of an integer exponent) or SBessel.

    Returns
    -------
    LinearPotential
        For predictions: energies, forces and stress are those that ML-PACE would have without interpolating radial
        functions. The core repulsion of the file is its baseline. It cannot be fitted or given uncertainties.

    Warns
    -----
    LinmlpWarning
        If comments of the file name other pair styles that are laid over it, such as the repulsive core of a potential
        that `write_yace` wrote.

    Raises
    ------
    ModelFileError
        If the file is missing or broken, not linear, or holds what linmlp does not evaluate exactly.

    Examples
    --------
    >>> from linmlp.export import read_yace
    >>> read_yace("nothing.yace")
    Traceback (most recent call last):
    ...
    linmlp.exceptions.ModelFileError: there is no file nothing.yace; give the path of a .yace file
    """
    target = Path(path)
    content = read_yace_file(target)
    _warn_of_overlay(target)
    try:
        return _potential(_sorted_by_number(content), target)
    except ModelFileError as error:
        raise ModelFileError(f"{target}: {error}") from error


def _warn_of_overlay(path: Path) -> None:
    """Say it where the comments of a file name pair styles that belong to the potential."""
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    styles = [line.strip("# ") for line in comments if "pair_style hybrid/overlay" in line]
    if styles:
        warnings.warn(
            f"{path} is a part of a potential: its comments say {styles[0]!r}, and what styles other than pace add "
            "is not read",
            LinmlpWarning,
            stacklevel=3,
        )


def _potential(content: YaceFile, path: Path) -> LinearPotential:
    coefficients = [_coefficients(content, z) for z in range(len(content.elements))]
    functions = sorted({f for of_center in coefficients for f in of_center}, key=_function_key) or [((0, 0, 0),)]
    bonds = read_bonds(content, max((l for f in functions for _, _, l in factors(f)), default=0))
    parameters = AceParameters(
        tuple(atomic_numbers[symbol] for symbol in content.elements),
        max(bond.cutoff for bond in content.bonds.values()),
        content.bonds[0, 0].scaling,
        tuple(functions),
        bonds.radial_map,
        bonds.pair_map,
        bonds.inner,
        bonds.inner_width,
        bonds.forms,
    )
    coef = np.array([of_center.get(function, 0.0) for of_center in coefficients for function in functions])
    reference = ReferenceEnergies("given", content.elements, content.e0)
    return _assemble(ImportedACE.from_parameters(parameters), coef, reference, _core(content), path)


def _assemble(
    descriptor: ImportedACE,
    coef: FloatArray,
    reference: ReferenceEnergies,
    baselines: tuple[Baseline, ...],
    path: Path,
) -> LinearPotential:
    """Return a potential with these parts and without a past."""
    potential = LinearPotential(descriptor, baseline=None, alpha=0.0, keep_system=False)
    potential.descriptor_, potential.coef_ = descriptor, coef
    potential.reference_, potential.baselines_ = reference, baselines
    potential.solution_ = Solution(coef, int(np.count_nonzero(coef)), 1.0, 0.0)
    potential.loss_weights_ = LossWeights(1.0, 1.0, 1.0)
    potential.alpha_, potential.form_, potential.core_weight_ = 0.0, "gram", 0.0
    potential.cv_errors_, potential.cv_results_, potential.loss_share_ = {}, {}, {}
    potential.notes_, potential.rejected_ = (f"read from {path.name}",), []
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    potential.training_ = {"n_structures": 0, "data_hash": digest, "labels": f"read from {path.name}"}
    potential.system_ = potential.uncertainty_ = potential.holes_ = None
    potential.fitted_settings_ = settings_snapshot(potential)
    potential.n_features_in_ = descriptor.n_features_out_
    return potential


def _sorted_by_number(content: YaceFile) -> YaceFile:
    """Return the file with elements in the order of their atomic numbers."""
    order = sorted(range(len(content.elements)), key=lambda place: atomic_numbers[content.elements[place]])
    return content.with_order(order)


def _coefficients(content: YaceFile, center: int) -> dict[Function, float]:
    """Return the coefficients of our functions around one element."""
    found: dict[Function, float] = {}
    products: dict[tuple[Channel, ...], list[tuple[float, Terms]]] = {}
    for f in content.functions[center]:
        if len(f.elements) > MAX_ORDER and f.coefficients.any():
            raise ModelFileError(
                f"around {content.elements[center]} it has functions of rank {len(f.elements)}; linmlp evaluates up to "
                f"rank {MAX_ORDER}"
            )
        if len(f.elements) == 1:
            function: Function = ((f.elements[0], f.ns[0], 0),)
            found[function] = found.get(function, 0.0) + float(f.coefficients.sum())
        elif f.coefficients.any():
            channels, terms = fold(tuple(zip(f.elements, f.ns, f.ls, strict=True)), _given_terms(f))
            products.setdefault(channels, []).append((1.0, terms))
    for channels, parts in products.items():
        found |= _project(tuple(sorted(channels, key=channel_key)), add_terms(parts))
    return {function: coefficient for function, coefficient in found.items() if coefficient != 0.0}


def _given_terms(f: YaceFunction) -> Terms:
    """Return the terms of a function of the file; those that stand there twice are added."""
    every = zip(f.ms.tolist(), f.coefficients.tolist(), strict=True)
    return add_terms((1.0, {tuple(ms): value}) for ms, value in every)


def _project(channels: tuple[Channel, ...], terms: Mapping[tuple[int, ...], float]) -> dict[Function, float]:
    """Return the coefficients of our functions that give some terms; ModelFileError if there are none."""
    if not terms:
        return {}
    functions = _functions_of(channels) if sum(l for _, _, l in channels) % 2 == 0 else []
    ours = [fold(*terms_of(function))[1] for function in functions]
    keys = sorted({*terms, *(key for part in ours for key in part)})
    given, *columns = (np.array([part.get(key, 0.0) for key in keys]) for part in (terms, *ours))
    basis = np.array(columns).reshape(len(columns), len(keys)).T
    factors = np.linalg.lstsq(basis, given, rcond=None)[0]
    if np.abs(given - basis @ factors).max() > INVARIANT_LIMIT * np.abs(given).max():
        raise ModelFileError(
            f"the coefficients of a product with l = {[l for _, _, l in channels]} are no invariant under rotation and "
            "reflection; the file is damaged, or its couplings are not those of ML-PACE"
        )
    return dict(zip(functions, factors.tolist(), strict=True))


def _functions_of(channels: tuple[Channel, ...]) -> list[Function]:
    """Return our functions of some sorted channels, which span the invariants; up to order 3 there is one."""
    if len(channels) < MAX_ORDER:
        return [channels]
    ls, kinds = tuple(l for _, _, l in channels), tuple(channels.index(channel) for channel in channels)
    return [(*channels, (COUPLED, 0, momentum)) for momentum in intermediate_momenta(ls, kinds)]


def _core(content: YaceFile) -> tuple[Baseline, ...]:
    """Return the core repulsion as a baseline, if there is one."""
    n = len(content.elements)
    bonds = [[content.bonds[z, e] for e in range(n)] for z in range(n)]
    is_switched = bonds[0][0].inner_type == "distance"
    arrays = np.array([[[abs(b.core_prefactor), abs(b.core_exponent), b.cutoff] for b in row] for row in bonds])
    inner = np.array([[[b.inner, b.inner_width] for b in row] for row in bonds]) * is_switched
    prefactor = np.where(inner[..., 0] > 0, arrays[..., 0], 0.0) if is_switched else arrays[..., 0]
    if not prefactor.any():
        return ()
    if content.core_limits.min() < CORE_LIMIT:
        raise ModelFileError(
            f"ACE is switched off where the core energy of an atom exceeds {content.core_limits.min():g} eV "
            f"(rho_core_cutoff - drho_core_cutoff), which linmlp does not; wanted are {CORE_LIMIT:g} eV or more"
        )
    return (PaceCore(content.elements, prefactor, arrays[..., 1], arrays[..., 2], inner[..., 0], inner[..., 1]),)


def _function_key(function: Function) -> tuple[int, list[tuple[int, int, int]]]:
    return len(function), [channel_key(channel) for channel in function]
