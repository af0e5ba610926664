"""Small sets of DFT data that come with the library."""

from linmlp.structures.datasets import load_lithium_chloride, load_silicon

__all__ = ["load_lithium_chloride", "load_silicon"]
