"""SOAP: the power spectrum of a smeared neighbor density, on the loops of the ACE rows."""

from linmlp.descriptors.soap.descriptor import SOAP

__all__ = ["SOAP"]
