"""Atomic cluster expansion."""

from linmlp.descriptors.ace.descriptor import ACE
from linmlp.descriptors.ace.imported import ImportedACE

__all__ = ["ACE", "ImportedACE"]
