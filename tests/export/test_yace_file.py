"""Files that cannot be used: one sentence each."""

import re

import pytest

from linmlp.exceptions import ModelFileError
from linmlp.export import read_yace, write_yace
from linmlp.export.yace_writer import yace_text
from tests.pace.conftest import MAKERS

RANK_FIVE = (
    "{mu0: 0, rank: 5, ndensity: 1, num_ms_combs: 1, mus: [0, 0, 0, 0, 0], ns: [1, 1, 1, 1, 1], ls: [0, 0, 0, 0, 0], "
    "ms_combs: [0, 0, 0, 0, 0], ctildes: [1.0]}"
)


@pytest.fixture(scope="module")
def text():
    case = MAKERS["general radial functions"]()
    return yace_text(case.parameters, case.coefficients, case.e0, 0.001)


def edit(old, new):
    def apply(text):
        assert old in text
        return text.replace(old, new)

    return apply


BAD = {
    "cut in a line": (lambda t: t[: int(0.6 * len(t))].rstrip("\n") + " [", "cut short"),
    "cut before the bonds": (lambda t: t[: t.index("bonds:")], "there is no bonds; the file may be cut short"),
    "cut before the functions": (lambda t: t[: t.index("  1:\n    - ")], "no list of functions of element 1"),
    "not a mapping": (lambda t: "- 1\n- 2\n", "wanted a mapping"),
    "two densities": (
        edit("ndensity: 1, FS_parameters: [1.0, 1.0]", "ndensity: 2, FS_parameters: [1, 1, 1, 0.5]"),
        "not linear",
    ),
    "exponent": (edit("FS_parameters: [1.0, 1.0]", "FS_parameters: [1.0, 0.5]"), "not linear"),
    "ACE.jl": (edit("radbasename: ChebExpCos", "radbasename: ACE.jl.Basic"), "polynomials of ACE.jl"),
    "splinenodalvals": (edit("lambdahc: 1.0", "nbins: 10, splinenodalvals: {0: [1.0]}"), "patched LAMMPS"),
    "Tabulated": (edit("radbasename: ChebExpCos", "radbasename: Tabulated"), "patched LAMMPS"),
    "unknown functions": (edit("radbasename: ChebExpCos", "radbasename: Gauss"), "radbasename Gauss is not known"),
    "ChebLinear": (edit("radbasename: ChebExpCos", "radbasename: ChebLinear"), "jumps at the cutoff"),
    "half a power": (
        lambda t: t.replace("ChebExpCos", "ChebPow").replace("radparameters: [0.01]", "radparameters: [2.5]"),
        "wanted is an integer, 1 to 12",
    ),
    "large lambda": (edit("radparameters: [0.01]", "radparameters: [30.0]"), "lambda of ChebExpCos is 30"),
    "missing bond": (edit("  [0, 1]: ", "  [0, 5]: "), "there is no bond Li-Cl"),
    "float for integer": (edit("lmax: 2,", "lmax: 2.0,"), "lmax is 2.0; wanted is an integer, written without a point"),
    "float in a list": (edit("ns: [1, 1],", "ns: [1.0, 1],"), "ns holds 1.0; wanted are integers"),
    "too few coefficients": (edit("num_ms_combs: 1, mus: [0, 0]", "num_ms_combs: 2, mus: [0, 0]"), "wanted are 4"),
    "no such element": (edit("mus: [1, 1]", "mus: [1, 7]"), "out of range"),
    "strange element": (edit("elements: [Li, Cl]", "elements: [Li, Qq]"), "wanted are different symbols"),
    "zbl": (edit("inner_cutoff_type: distance", "inner_cutoff_type: zbl"), "nearest neighbor"),
    "different inner types": (
        lambda t: t.replace("inner_cutoff_type: distance", "inner_cutoff_type: density", 1),
        "differs between bonds",
    ),
    "no invariant": (edit("ms_combs: [0, 0, 1, -1]", "ms_combs: [0, 0, 1, 1]"), "no invariant under rotation"),
    "a number that is none": (edit("rcut: 4.5", "rcut: wide"), "rcut is 'wide'; wanted is a number"),
    "core that switches ACE off": (
        lambda t: t.replace("prehc: 0.0", "prehc: 10.0").replace("rho_core_cutoff: 100000.0", "rho_core_cutoff: 300.0"),
        "exceeds 50 eV",
    ),
    "rank 5": (edit("functions:\n  0:\n", f"functions:\n  0:\n    - {RANK_FIVE}\n"), "functions of rank 5"),
}


@pytest.mark.parametrize("what", BAD)
def test_files_that_cannot_be_used(what, text, tmp_path):
    spoil, message = BAD[what]
    path = tmp_path / "bad.yace"
    path.write_text(spoil(text))
    with pytest.raises(ModelFileError, match=re.escape(message)) as caught:
        read_yace(path)
    assert "bad.yace" in str(caught.value)


def test_own_file_cut_between_two_functions(carbide_model, tmp_path):
    path = tmp_path / "sic.yace"
    write_yace(carbide_model, path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    with pytest.raises(ModelFileError, match="last line is missing"):
        read_yace(path)


def test_binary_file(tmp_path):
    (tmp_path / "bad.yace").write_bytes(bytes(range(256)))
    with pytest.raises(ModelFileError, match="not a whole"):
        read_yace(tmp_path / "bad.yace")
