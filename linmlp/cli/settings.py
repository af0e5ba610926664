"""Settings of a fit: a YAML file and command-line options in, a checked record out."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linmlp.descriptors import ACE, SOAP, Descriptor
from linmlp.exceptions import SettingsError
from linmlp.potentials import LinearPotential, SparseKernelPotential

Weight = float | Literal["auto"]

ONLY_FOR = {
    "descriptor ace": ("preset", "order", "max_degree", "max_l", "channels"),
    "descriptor soap": ("n_max", "l_max", "sigma", "compression"),
    "kernel true": ("n_sparse", "zeta", "selection", "per_group", "n_candidates", "pair_term"),
}
"""Settings that mean something only beside another one."""

SIZE = ("order", "max_degree")
"""Settings that a preset says."""


class FitSettings(BaseModel):
    """Everything that `linmlp fit` can be told; the defaults are those of the library."""

    model_config = ConfigDict(extra="forbid")

    train: Path
    test: Path | None = None
    output: Path = Path("model.linmlp")

    descriptor: Literal["auto", "ace", "soap"] = Field("auto", description="auto: soap for kernels, else ace")
    cutoff: float | Literal["auto"] = Field("auto", description="cutoff radius in Å; auto: by the data for ace alone")
    preset: str | None = Field(None, description="size of ace: fast, balanced or accurate")
    order: int | Literal["auto"] = Field("auto", description="correlation order (body order - 1)")
    max_degree: int | list[int] | Literal["auto"] = Field("auto", description="largest total degree, per order")
    max_l: int = Field(6, description="largest angular momentum")
    channels: int | list[list[float]] | None = Field(None, description="densities that elements are mixed to")
    n_max: int = Field(8, description="radial functions of soap")
    l_max: int = Field(6, description="largest angular momentum of soap")
    sigma: float = Field(0.5, description="width of the Gaussians of soap, Å")
    compression: Literal["off", "mu2", "mu1nu1", "crossover"] = Field("off", description="densities paired in soap")

    kernel: bool = Field(False, description="kernel to sparse environments instead of functions of the descriptor")
    n_sparse: int = Field(1000, description="environments for each element")
    zeta: float = Field(4.0, description="exponent of the kernel")
    selection: Literal["fps", "cur", "random"] = Field("fps", description="how environments are chosen")
    per_group: dict[str, int] | None = Field(None, description="environments taken from a config_type first")
    n_candidates: int = Field(20000, description="atoms of each element that they are chosen from")
    pair_term: bool = Field(False, description="a linear pair term beside the kernel")

    energy_weight: Weight | Literal["evidence"] = "auto"
    force_weight: Weight = "auto"
    stress_weight: Weight | Literal["evidence"] = "auto"
    energy_per: Literal["auto", "structure", "atom", "sqrt_atom"] = "auto"
    group_weights: dict[str, float] | None = None
    alpha: Weight = Field("auto", description="ridge strength")
    e0: Literal["auto", "isolated", "lstsq"] | dict[str, float] = Field("auto", description="reference energies, eV")
    zbl: bool = Field(True, description="ZBL repulsion below the closest approach of the data")

    energy_key: str | None = None
    forces_key: str | None = None
    stress_key: str | None = None
    virial_key: str | None = None

    uncertainty: bool = Field(False, description="calibrated uncertainties and extrapolation grades")
    n_folds: int = 5
    seed: int = 0
    n_jobs: int | None = Field(-1, description="threads; -1 means all cores")
    max_memory: float | None = Field(None, description="GB; a fit that is predicted to need more is refused")

    def potential(self) -> LinearPotential:
        """Return the unfitted potential that these settings describe."""
        shared = [
            "energy_weight",
            "force_weight",
            "stress_weight",
            "energy_per",
            "group_weights",
            "alpha",
            "e0",
            "energy_key",
            "forces_key",
            "stress_key",
            "virial_key",
            "uncertainty",
            "n_folds",
            "n_jobs",
            "max_memory",
        ]
        self._check_combination()
        settings = {
            "baseline": "zbl" if self.zbl else None,
            "random_state": self.seed,
            **{name: getattr(self, name) for name in shared},
        }
        if not self.kernel:
            return LinearPotential(self._descriptor(), **settings)
        own = {name: getattr(self, name) for name in ONLY_FOR["kernel true"] if name != "pair_term"}
        descriptor = self._descriptor()
        beside = ACE(descriptor.cutoff, order=1) if self.pair_term else None
        return SparseKernelPotential(descriptor, beside=beside, **own, **settings)

    def _kind(self) -> str:
        """Return which descriptor is meant."""
        if self.descriptor != "auto":
            return self.descriptor
        return "soap" if self.kernel else "ace"

    def _descriptor(self) -> Descriptor:
        """Return the unfitted descriptor."""
        if self._kind() == "ace":
            if self.preset is not None:
                return ACE.preset(self.preset, self.cutoff, self.max_l, self.channels)
            return ACE(self.cutoff, self.order, self.max_degree, self.max_l, self.channels)
        own = {name: getattr(self, name) for name in ONLY_FOR["descriptor soap"]}
        return SOAP(**own) if self.cutoff == "auto" else SOAP(self.cutoff, **own)

    def _check_combination(self) -> None:
        """Raise where a setting would have no effect."""
        doubled = [name for name in SIZE if name in self.model_fields_set]
        if self.preset is not None and doubled:
            told = " and ".join(f"{name}: {getattr(self, name)}" for name in doubled)
            raise SettingsError(f"preset: {self.preset} says order and degrees, but {told} is given too; leave out one")
        now = {"descriptor ace": self._kind() == "ace", "descriptor soap": self._kind() == "soap"}
        now["kernel true"] = self.kernel
        for condition, names in ONLY_FOR.items():
            fields = {name: type(self).model_fields[name] for name in names}
            idle = [name for name, field in fields.items() if getattr(self, name) != field.default]
            if idle and not now[condition]:
                told = " and ".join(f"{name}: {getattr(self, name)}" for name in idle)
                raise SettingsError(
                    f"{told} would have no effect without {condition.replace(' ', ': ')} "
                    f"(descriptor: {self._kind()}, kernel: {str(self.kernel).lower()}); set that, or leave them out"
                )

    def to_yaml(self) -> str:
        """Return the settings as YAML that `read_settings` accepts."""
        left_out = set() if self.preset is None else set(SIZE)
        values = self.model_dump(mode="json", exclude=left_out)
        return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def read_settings(path: Path | None, options: dict[str, Any]) -> FitSettings:
    """Return the settings of a YAML file, overruled by the options that were given.

    Parameters
    ----------
    path : Path or None
        YAML file.
    options : dict
        Command-line options; None means not given.

    Returns
    -------
    FitSettings
        Checked settings.

    Raises
    ------
    SettingsError
        If the file cannot be read, or a setting is unknown or of the wrong kind.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise SettingsError(f"cannot read the settings file {path}: {' '.join(str(error).split())}") from error
        if not isinstance(values, dict):
            raise SettingsError(f"{path} holds no settings; it must have lines such as 'cutoff: 5.0'")
    values |= {name: value for name, value in options.items() if value is not None}
    if "train" not in values:
        raise SettingsError("no training structures; give their file: linmlp fit TRAIN")
    try:
        return FitSettings(**{str(name): value for name, value in values.items()})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'][:1]))}: {e['msg']} (given: {e['input']!r})" for e in error.errors()
        )
        raise SettingsError(
            f"settings that cannot be used: {problems}; known are {', '.join(FitSettings.model_fields)}"
        ) from error


def write_settings(settings: FitSettings, path: Path) -> None:
    """Write settings to a YAML file that `read_settings` accepts.

    Parameters
    ----------
    settings : FitSettings
        Settings.
    path : Path
        Where to write.

    Raises
    ------
    SettingsError
        If the file cannot be written.
    """
    try:
        path.write_text(settings.to_yaml(), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write the settings to {path}: {error.strerror}") from error
