"""ase.Atoms in, checked structures, labels, reference energies, baselines and splits out."""
