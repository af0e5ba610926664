"""What has to be known of dscribe's classes: parameters in, objects and their range out, and back."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from linmlp.descriptors.dscribe.compatibility import repair_system
from linmlp.descriptors.soap.parameters import power_spectrum
from linmlp.exceptions import SettingsError
from linmlp.units import FloatArray

MANY_BODY = {
    name: name
    for name in ("geometry", "grid", "weighting", "normalize_gaussians", "normalization", "species", "periodic")
}
MATRIX = {name: name for name in ("n_atoms_max", "permutation", "sigma", "seed")}
PARAMETERS: dict[str, dict[str, str]] = {
    "SOAP": {
        **{name: f"_{name}" for name in ("r_cut", "n_max", "l_max", "sigma", "rbf", "weighting")},
        **{name: name for name in ("average", "compression", "species", "periodic")},
    },
    "ACSF": {
        name: name for name in ("r_cut", "g2_params", "g3_params", "g4_params", "g5_params", "species", "periodic")
    },
    "LMBTR": MANY_BODY,
    "MBTR": MANY_BODY,
    "CoulombMatrix": MATRIX,
    "SineMatrix": MATRIX,
    "EwaldSumMatrix": MATRIX,
}
"""Parameters of dscribe's constructors, and the attributes that hold them."""

SPECIAL = {"ValleOganov": "MBTR"}
"""Classes that are others with parameters of their own."""

SIMPLE = ("SOAP", "ACSF")
"""Classes that do without dscribe's own kind of structures."""


def class_of(made: Any) -> str:
    """Return the name of the class of a dscribe object.

    Parameters
    ----------
    made : object
        Anything.

    Returns
    -------
    str
        Such as "SOAP".

    Raises
    ------
    SettingsError
        If it is none of dscribe's, or one whose parameters are not known.
    """
    kind = type(made)
    name = SPECIAL.get(kind.__name__, kind.__name__)
    if kind.__module__.startswith("dscribe.descriptors.") and name in PARAMETERS:
        return name
    raise SettingsError(
        f"descriptor={made!r} is no descriptor of dscribe that is known here; give an object of one of its classes "
        f"{', '.join(PARAMETERS)}, not of a class of your own"
    )


def parameters_of(made: Any) -> dict[str, Any]:
    """Return the parameters that a dscribe object was made with, as JSON takes them.

    Parameters
    ----------
    made : object
        Of one of the classes in `PARAMETERS`.

    Returns
    -------
    dict
        For its constructor; the output is dense and in double precision.
    """
    name = class_of(made)
    found = {parameter: _plain(getattr(made, attribute)) for parameter, attribute in PARAMETERS[name].items()}
    # Empty lists and mappings are how the objects keep what was not given.
    return {parameter: None if value in ([], {}) else value for parameter, value in found.items()}


def make_object(name: str, parameters: Mapping[str, Any]) -> Any:
    """Return a dscribe object.

    Parameters
    ----------
    name : str
        Class.
    parameters : mapping
        As `parameters_of` gives them.

    Returns
    -------
    object
        New, with dense output in double precision.

    Raises
    ------
    SettingsError
        If dscribe is not installed, or the class is not known.
    """
    if name not in PARAMETERS:
        raise SettingsError(f"{name!r} is no class of dscribe that is known here; known are {', '.join(PARAMETERS)}")
    try:
        import dscribe.descriptors
    except ImportError as error:
        raise SettingsError(f"dscribe's {name} needs dscribe; pip install linmlp[dscribe]") from error
    if name not in SIMPLE:
        repair_system()
    # dscribe writes into the mappings that it is given.
    return getattr(dscribe.descriptors, name)(**copy.deepcopy(dict(parameters)))


def is_local(name: str, parameters: Mapping[str, Any]) -> bool:
    """Return whether there are features of every atom, and not of the whole structure alone."""
    return name in ("SOAP", "ACSF", "LMBTR") and parameters.get("average", "off") == "off"


def species_of(made: Any) -> tuple[int, ...] | None:
    """Return the atomic numbers that a dscribe object was told of, ascending; None if any element will do."""
    known = made._atomic_numbers
    return None if known is None else tuple(int(z) for z in sorted(known) if z > 0)


def reach_of(made: Any) -> float:
    """Return the distance beyond which no atom acts on the features of another.

    Parameters
    ----------
    made : object
        Of a class with features of atoms.

    Returns
    -------
    float
        In Å.

    Raises
    ------
    SettingsError
        If there is none.
    """
    name, parameters = class_of(made), parameters_of(made)
    if name == "SOAP":
        return float(parameters["r_cut"] + made.get_cutoff_padding())
    if name == "ACSF":
        return float(parameters["r_cut"])
    weighting = parameters["weighting"] or {}
    if weighting.get("function") != "exp" or not weighting.get("scale", 0.0) > 0.0:
        raise SettingsError(
            f"the weighting {weighting or None} of dscribe's LMBTR gives its features no end; give "
            '{"function": "exp", "scale": ..., "threshold": ...}'
        )
    # The exponent is the distance of two atoms, or that around three, at least twice the largest distance of them.
    return float(-np.log(weighting["threshold"]) / weighting["scale"] / (2.0 if made.k == 3 else 1.0))


def lacks_analytic(name: str, parameters: Mapping[str, Any]) -> str | None:
    """Return what dscribe has no analytic derivatives of, or None where it has them.

    Parameters
    ----------
    name : str
        Class.
    parameters : mapping
        As `parameters_of` gives them.

    Returns
    -------
    str or None
        Such as "LMBTR".
    """
    if name != "SOAP":
        return name
    if parameters["rbf"] != "gto":
        return f"SOAP with rbf={parameters['rbf']!r}"
    if parameters["weighting"]:
        return "SOAP with a weighting"
    mode = (parameters["compression"] or {}).get("mode", "off")
    return None if mode in ("off", "crossover") else f"SOAP with the compression {mode!r}"


def multiplicities(name: str, parameters: Mapping[str, Any], n_species: int, n_functions: int) -> FloatArray:
    """Return how often every function stands in the full power spectrum, of which dscribe gives each pair once.

    Parameters
    ----------
    name : str
        Class.
    parameters : mapping
        As `parameters_of` gives them.
    n_species : int
        Elements that the object was told of.
    n_functions : int
        Number of its features.

    Returns
    -------
    ndarray of shape (n_functions,)
        1 for descriptors other than SOAP.
    """
    if name != "SOAP":
        return np.ones(n_functions)
    mode = (parameters["compression"] or {}).get("mode", "off")
    functions = power_spectrum(n_species, parameters["n_max"], parameters["l_max"], mode)
    return np.array([1.0 if first == second else 2.0 for first, second in functions])


def _plain(value: Any) -> Any:
    """Return a parameter as JSON takes it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple | set):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
