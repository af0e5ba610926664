"""Atomic cluster expansion."""

from linmlp.descriptors.ace.descriptor import ACE

__all__ = ["ACE"]
