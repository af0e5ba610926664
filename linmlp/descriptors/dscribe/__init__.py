"""Descriptors of dscribe (an optional package) with the contract of the house."""

from linmlp.descriptors.dscribe.descriptor import DScribeDescriptor

__all__ = ["DScribeDescriptor"]
