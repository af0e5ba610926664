"""Features of environments in, kernel values to representative ones out."""

from linmlp.descriptors.kernel.descriptor import KernelFeatures
from linmlp.descriptors.kernel.representatives import Representatives

__all__ = ["KernelFeatures", "Representatives"]
