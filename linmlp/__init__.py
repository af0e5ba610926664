"""Interatomic potentials that are linear in their parameters, fitted to DFT data on CPUs."""
