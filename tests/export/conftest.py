"""The potentials that are compared with ML-PACE, too."""

from tests.pace.conftest import case

__all__ = ["case"]
