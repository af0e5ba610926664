"""How wide vectors are on this machine."""

from llvmlite import binding
from numba import config


def _preferred_lanes() -> int:
    """Return the number of doubles in one register: 8 with AVX-512, 4 with AVX2 (and two registers of 2 elsewhere)."""
    features = binding.get_host_cpu_features()
    if config.CPU_FEATURES:
        return 8 if "+avx512f" in config.CPU_FEATURES else 4
    return 8 if features.get("avx512f") else 4


def _register_lanes() -> int:
    """Return the doubles in the widest register that Numba compiles for, at least four."""
    features = config.CPU_FEATURES
    if features is None and config.CPU_NAME in (None, "host"):
        features = binding.get_host_cpu_features().flatten()
    return 8 if "+avx512f" in (features or "") else 4


REGISTER_LANES = _register_lanes()
"""Doubles in the widest register."""

LANES = _preferred_lanes()
"""Central atoms that the energy and force loop treats at once."""
