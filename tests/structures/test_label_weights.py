import io

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read

from linmlp.exceptions import LabelError
from linmlp.structures.labels import read_labels


def silicon(info=None, arrays=None):
    atoms = bulk("Si")
    atoms.info.update({"energy": 1.0, "stress": np.zeros(6)})
    atoms.info.update(info or {})
    atoms.arrays["forces"] = np.zeros((2, 3))
    for key, value in (arrays or {}).items():
        atoms.arrays[key] = np.array(value)
    return atoms


def factors(info=None, arrays=None):
    labels = read_labels([silicon(info, arrays)])[0]
    return labels.energy_weight, labels.force_weight, labels.stress_weight


def test_default_is_one():
    energy, forces, stress = factors()
    assert energy == 1.0
    np.testing.assert_array_equal(forces, np.ones((2, 3)))
    np.testing.assert_array_equal(stress, np.ones(6))
    assert forces.dtype == stress.dtype == np.float64


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"config_weight": 3.0}, (3, 3, 3)),
        ({"weight": 3.0}, (3, 3, 3)),
        ({"energy_weight": 2.0}, (2, 1, 1)),
        ({"config_energy_weight": 2.0}, (2, 1, 1)),
        ({"force_weight": 2.0}, (1, 2, 1)),
        ({"forces_weight": 2}, (1, 2, 1)),
        ({"config_forces_weight": 2.0}, (1, 2, 1)),
        ({"virial_weight": 2.0}, (1, 1, 2)),
        ({"config_virials_weight": 2.0}, (1, 1, 2)),
        ({"config_weight": 3.0, "stress_weight": 0.0, "energy_weight": 0.5}, (1.5, 3, 0)),
    ],
)
def test_weights(info, expected):
    energy, forces, stress = factors(info)
    assert energy == expected[0]
    np.testing.assert_array_equal(forces, np.full((2, 3), expected[1]))
    np.testing.assert_array_equal(stress, np.full(6, expected[2]))


def test_sigmas_are_relative_to_their_median():
    structures = [silicon({"energy_sigma": s, "force_sigma": 10 * s, "virial_sigma": 7 * s}) for s in (1.0, 2.0, 8.0)]
    labels = read_labels([*structures, silicon({"config_weight": 5.0})])
    expected = [(2.0 / s) ** 2 for s in (1.0, 2.0, 8.0)] + [5.0]
    np.testing.assert_allclose([item.energy_weight for item in labels], expected)
    np.testing.assert_allclose([item.force_weight[1, 2] for item in labels], expected)
    np.testing.assert_allclose([item.stress_weight[4] for item in labels], expected)
    assert labels.sigma_references == {"energy": 2.0, "force": 20.0, "virial": 14.0}
    assert "energy sigmas are relative to their median, 2" in labels.report()


def test_equal_sigmas_change_nothing():
    labels = read_labels([silicon({"energy_sigma": 0.003})] * 3)
    assert [item.energy_weight for item in labels] == [1.0] * 3


def test_sigmas_of_atoms_and_components():
    per_atom = silicon({"force_sigma": 99.0}, {"force_atom_sigma": [1.0, 4.0]})
    per_component = silicon({}, {"force_component_sigma": [[1.0, 2.0, 4.0], [2.0, 2.0, 2.0]]})
    labels = read_labels([per_atom, per_component])
    reference = np.median([2.5, 2.0])
    np.testing.assert_allclose(labels[0].force_weight, (reference / np.array([[1.0] * 3, [4.0] * 3])) ** 2)
    np.testing.assert_allclose(labels[1].force_weight, (reference / per_component.arrays["force_component_sigma"]) ** 2)
    tensor = np.array([[1.0, 6.0, 5.0], [6.0, 2.0, 4.0], [5.0, 4.0, 3.0]])
    stress = read_labels([silicon({"virial_component_sigma": tensor.ravel(), "virial_sigma": 1.0})])[0].stress_weight
    np.testing.assert_allclose(stress, (3.5 / np.arange(1.0, 7.0)) ** 2)


def test_stress_sigma_goes_before_virial_sigma():
    labels = read_labels([silicon({"stress_sigma": 1.0, "virial_sigma": 5.0}), silicon({"stress_sigma": 3.0})])
    np.testing.assert_allclose([item.stress_weight[0] for item in labels], [4.0, 4.0 / 9.0])


def test_masks_leave_out():
    _, forces, _ = factors({"config_weight": 2.0}, {"force_mask": [True, False]})
    np.testing.assert_array_equal(forces, [[0, 0, 0], [2, 2, 2]])
    flags = np.array([[1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(factors({}, {"force_mask": flags})[1], 1 - flags)
    _, _, stress = factors({"stress_mask": [False, False, False, True, True, True]})
    np.testing.assert_array_equal(stress, [1, 1, 1, 0, 0, 0])
    xy_only = np.zeros((3, 3), dtype=bool)
    xy_only[0, 1] = xy_only[1, 0] = True
    np.testing.assert_array_equal(factors({"stress_mask": xy_only})[2], [1, 1, 1, 1, 1, 0])
    np.testing.assert_array_equal(factors({"stress_mask": "T F F F F F"})[2], [0, 1, 1, 1, 1, 1])


def test_file_as_written_for_gap_fit():
    text = (
        '2\nLattice="0 2.7 2.7 2.7 0 2.7 2.7 2.7 0" energy=-1 energy_sigma=0.1 stress_mask="F F F T T T" '
        "Properties=species:S:1:pos:R:3:force:R:3:force_mask:L:1\n"
        "Si 0 0 0 0 0 0 T\nSi 1.3 1.3 1.3 0 0 0 F\n"
    )
    labels = read_labels(read(io.StringIO(text), ":", format="extxyz"))
    np.testing.assert_array_equal(labels[0].force_weight, [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(labels[0].stress_weight, [1, 1, 1, 0, 0, 0])
    assert labels.weight_sources == {"info energy_sigma": 1, "arrays force_mask": 1, "info stress_mask": 1}


@pytest.mark.parametrize(
    ("info", "arrays", "message"),
    [
        ({"config_weight": -1.0}, {}, "info config_weight is -1; a weight must be zero or positive"),
        ({"energy_weight": np.nan}, {}, "NaN"),
        ({"energy_weight": "high"}, {}, "not numbers"),
        ({"energy_weight": [1.0, 2.0]}, {}, r"shape \(2,\)"),
        ({"energy_sigma": 0.0}, {}, "sigma must be positive"),
        ({}, {"force_atom_sigma": [1.0, -1.0]}, "sigma must be positive"),
        ({}, {"force_component_sigma": [1.0, 1.0]}, r"shape \(2,\); wanted is \(2, 3\)"),
        ({}, {"force_mask": [2, 0]}, "logical values"),
        ({"stress_mask": [True, False]}, {}, "logical values of shape"),
        ({"stress_mask": "yes no"}, {}, "logical values"),
    ],
)
def test_bad_weights(info, arrays, message):
    with pytest.raises(LabelError, match=message) as caught:
        read_labels([silicon(), silicon(info, arrays)])
    assert str(caught.value).startswith("structure 1 (Si2")
