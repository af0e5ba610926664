import io

import numpy as np
import pytest
from ase import Atoms

from linmlp.exceptions import InputError
from linmlp.structures import read_labels, read_structures
from linmlp.structures.files import with_labels
from linmlp.structures.files.mlip_cfg import read_cfg, write_cfg

BY_MLIP = """BEGIN_CFG
 Size
    2
 Supercell
         4.000000      0.000000      0.000000
         0.000000      4.000000      0.000000
         0.000000      0.000000      5.000000
 AtomData:  id type       cartes_x      cartes_y      cartes_z           fx          fy          fz
             2    1       2.000000      2.000000      2.500000   -0.100000   -0.200000   -0.300000
             1    0       0.000000      0.000000      0.000000    0.100000    0.200000    0.300000
 Energy
        -8.500000000000
 PlusStress:  xx          yy          zz          yz          xz          xy
     8.00000   16.00000    24.00000     0.80000     1.60000     2.40000
 Feature   EFS_by       VASP
 Feature   mindist      3.750000
END_CFG

BEGIN_CFG
 Size
    1
 AtomData:  id type       cartes_x      cartes_y      cartes_z
             1    0       1.000000      0.000000      0.000000
 Feature   config_type  lone
END_CFG
"""


def write_text(structures, **settings):
    file = io.StringIO()
    write_cfg(file, structures, **settings)
    return file.getvalue()


def test_numbers_signs_and_order():
    crystal, lone = read_cfg(BY_MLIP.splitlines(), ["Li", "Cl"])
    assert crystal.get_chemical_symbols() == ["Li", "Cl"]  # sorted by id
    assert (crystal.get_potential_energy(), crystal.info) == (-8.5, {"EFS_by": "VASP", "mindist": 3.75})
    np.testing.assert_array_equal(crystal.get_forces(), [[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]])
    # PlusStress is -volume * stress, in eV; the volume is 80 Å³.
    np.testing.assert_allclose(crystal.get_stress(), [-0.1, -0.2, -0.3, -0.01, -0.02, -0.03])
    assert not lone.pbc.any()
    assert (lone.calc, lone.info) == (None, {"config_type": "lone"})


def test_direct_coordinates_and_slabs():
    text = BY_MLIP.replace("cartes", "direct").replace("2.500000   -0.1", "0.500000   -0.1")
    text = text.replace("       2.000000      2.000000", "       0.250000      0.500000")
    crystal, _ = read_cfg(text.splitlines(), ["Li", "Cl"])
    np.testing.assert_allclose(crystal.positions[1], [1.0, 2.0, 2.5])
    slab = Atoms("Li2", [[0, 0, 1], [2, 0, 0]], cell=[[9, 0, 0], [0, 3, 0], [0, 0, 4]], pbc=[False, True, True])
    slab.info = {"energy": -1.0, "stress": np.ones(6)}
    (again,) = read_cfg(write_text(with_labels([slab])).splitlines())
    assert again.pbc.tolist() == [True, True, False]
    np.testing.assert_array_equal(again.cell.array[:2], slab.cell.array[1:])
    np.testing.assert_array_equal(again.positions, slab.positions)
    assert "stress" not in again.calc.results  # there is no volume


def test_round_trip_is_exact(carbide_truth):
    labelled = with_labels(carbide_truth.structures)
    labelled[0].info |= {"config_type": "hot liquid", "weight": 0.5, "step": 7}
    again = read_cfg(write_text(labelled).splitlines())
    for before, after in zip(labelled, again, strict=True):
        np.testing.assert_array_equal(after.numbers, before.numbers)
        np.testing.assert_array_equal(after.positions, before.positions)
        np.testing.assert_array_equal(after.cell.array[after.pbc], before.cell.array[before.pbc])
        for kind, value in before.calc.results.items():
            if kind != "stress" or before.pbc.all():
                np.testing.assert_allclose(after.calc.results[kind], value, rtol=1e-14, atol=1e-17)
    assert again[0].info == {"config_type": "hot_liquid", "weight": 0.5, "step": 7}
    assert again[1].info == labelled[1].info
    assert write_text(again) == write_text(read_cfg(write_text(again).splitlines()))


def test_elements(carbide_truth, tmp_path):
    labelled = with_labels(carbide_truth.structures[:2])
    text = write_text(labelled, elements=["Si", "C"])
    assert "Feature   elements Si,C" in text
    assert [a.get_chemical_symbols() for a in read_cfg(text.splitlines())] == [
        a.get_chemical_symbols() for a in labelled
    ]
    with pytest.raises(InputError, match=r"hold Si, but the elements given are \['C'\]"):
        write_text(labelled, elements=["C"])
    (tmp_path / "a.cfg").write_text(BY_MLIP)
    with pytest.raises(InputError, match=r"a\.cfg cannot be read .*types 0 to 1 and no names; .*--elements Si,O"):
        read_structures(tmp_path / "a.cfg")
    with pytest.raises(InputError, match="types up to 1, but the elements given are Li; name one for every type"):
        read_structures(tmp_path / "a.cfg", elements=["Li"])
    with pytest.raises(InputError, match="Li, Xx, of which Xx is none"):
        read_structures(tmp_path / "a.cfg", elements=["Li", "Xx"])
    assert read_labels(read_structures(tmp_path / "a.cfg", elements=["Li", "Cl"])).counts["stress"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[: t.index(" Energy")], "ends within a configuration, without END_CFG; it is cut short"),
        (lambda t: t[:300], "ends within|line 9"),
        (lambda t: t + "2\nLattice\nSi 0 0 0\n", "line 26, '2', is outside of BEGIN_CFG"),
        (lambda t: t.replace(" Energy", " Stress:  xx"), "line 11, .*known are Size, Supercell"),
        (lambda t: t.replace("-8.500000000000", "none"), "line 12, 'none', cannot be understood"),
        (lambda t: t.replace("2.500000   -0.1", "2.500000"), "line 9"),
        (lambda t: t.replace("    2\n", "    3\n"), "no AtomData with id and type of all 3"),
        (lambda t: t.replace("cartes_x", "x"), "has no cartes_x"),
        (lambda t: t.replace(" Size\n", ""), "line 2, '2', .*belongs to no entry"),
    ],
)
def test_broken_files(tmp_path, change, message):
    (tmp_path / "a.cfg").write_text(change(BY_MLIP))
    with pytest.raises(InputError, match=message) as caught:
        read_structures(tmp_path / "a.cfg", elements=["Li", "Cl"])
    assert "\n" not in str(caught.value)
