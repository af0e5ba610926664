"""The parts of VASP's output files that readers look at, laid out as VASP does, with given numbers.

VASP prints stress in kbar, positive under compression (its "external pressure" is a third of the trace).
"""

import numpy as np

ELECTRONIC = "<scstep><energy><i name='e_fr_energy'>{free:.8f}</i><i name='e_0_energy'>{zero:.8f}</i></energy></scstep>"


def vasprun(cell, symbols, steps, nelm=60):
    """Return a vasprun.xml; a step has scaled positions, forces, kbar (3, 3), free and zero energy, n_electronic."""
    lines = ["<?xml version='1.0' encoding='ISO-8859-1'?>", "<modeling>", "<kpoints><varray name='kpointlist'>"]
    lines += ["<v>0 0 0</v></varray><varray name='weights'><v>1.0</v></varray></kpoints>"]
    lines += [f"<parameters><separator name='electronic'><i type='int' name='NELM'>{nelm}</i></separator></parameters>"]
    atoms = "".join(f"<rc><c>{symbol}</c><c>1</c></rc>" for symbol in symbols)
    lines += [f"<atominfo><array name='atoms'><set>{atoms}</set></array></atominfo>"]
    lines += ["<structure name='initialpos'>", *_structure(cell, steps[0]["scaled"]), "</structure>"]
    for step in steps:
        lines += ["<calculation>", *[ELECTRONIC.format(**step)] * step["n_electronic"], "<structure>"]
        lines += [*_structure(cell, step["scaled"]), "</structure>"]
        lines += [*_varray("forces", step["forces"]), *_varray("stress", step["kbar"])]
        lines += [f"<energy><i name='e_fr_energy'>{step['free']:.8f}</i></energy>", "</calculation>"]
    return "\n".join([*lines, "</modeling>"])


def _structure(cell, scaled):
    return ["<crystal>", *_varray("basis", cell), "</crystal>", *_varray("positions", scaled)]


def _varray(name, rows):
    return [f"<varray name='{name}'>", *("<v>" + _row(row) + "</v>" for row in rows), "</varray>"]


def _row(numbers):
    return " ".join(f"{number:18.10f}" for number in numbers)


def outcar(cell, symbols, steps):
    """Return an OUTCAR of one element."""
    lines = [" vasp.6.3.2 27Jun22", f" POTCAR:    PAW_PBE {symbols[0]} 05Jan2001", "   ISPIN  =      1"]
    lines += [f"   ions per type =  {len(symbols)}", f"   POTCAR:    PAW_PBE {symbols[0]} 05Jan2001"]
    for number, step in enumerate(steps, start=1):
        lines += [f"--- Iteration {number:6d}(   1)  ---"]
        words = "because EDIFF is reached" if step["is_converged"] else "EDIFF was not reached (unconverged)"
        lines += [f"------------------------ aborting loop {words} ----------------------------------------"]
        s = np.asarray(step["kbar"])
        order = [s[0, 0], s[1, 1], s[2, 2], s[0, 1], s[1, 2], s[0, 2]]
        lines += ["  in kB " + " ".join(f"{value:11.5f}" for value in order)]
        lines += ["      direct lattice vectors                 reciprocal lattice vectors"]
        lines += [_row([*vector, *vector]) for vector in cell]
        lines += [" POSITION                                       TOTAL-FORCE (eV/Angst)", " " + "-" * 80]
        lines += [_row([*p, *f]) for p, f in zip(np.asarray(step["scaled"]) @ cell, step["forces"], strict=True)]
        lines += [" " + "-" * 80, "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)", "  " + "-" * 50]
        lines += [f"  free  energy   TOTEN  = {step['free']:18.8f} eV", ""]
        lines += [f"  energy  without entropy= {step['zero']:18.8f}  energy(sigma->0) = {step['zero']:18.8f}"]
    return "\n".join([*lines, " General timing and accounting informations for this job:"]) + "\n"
