import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp.exceptions import LabelError
from linmlp.structures.labels import read_labels
from linmlp.units import EV_PER_A3_IN_GPA

VOIGT = np.array([0.01, 0.02, 0.03, 0.004, 0.005, 0.006])
TENSOR = np.array([[0.01, 0.006, 0.005], [0.006, 0.02, 0.004], [0.005, 0.004, 0.03]])
VOLUME = bulk("Si").get_volume()


def stress_of(**info):
    atoms = bulk("Si")
    atoms.info.update(info)
    return read_labels([atoms])[0].stress


@pytest.mark.parametrize("value", [VOIGT, TENSOR, TENSOR.ravel(), VOIGT.tolist()])
def test_forms_of_a_tensor(value):
    np.testing.assert_allclose(stress_of(stress=value), VOIGT, rtol=1e-14)
    np.testing.assert_allclose(stress_of(virial=-VOLUME * np.array(value)), VOIGT, rtol=1e-12)


def test_small_asymmetry_is_averaged():
    tilted = TENSOR + 1e-5 * (np.eye(3, k=1) - np.eye(3, k=-1))
    np.testing.assert_allclose(stress_of(stress=tilted), VOIGT, rtol=1e-12)


def test_stress_and_virial_that_agree():
    np.testing.assert_array_equal(stress_of(stress=VOIGT, virial=-VOLUME * TENSOR), VOIGT)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (-1.0, "the sign of one is flipped"),
        (EV_PER_A3_IN_GPA, "in GPa:|in GPa\\."),
        (-10 * EV_PER_A3_IN_GPA, "in kbar, with flipped sign"),
        (1e4 * EV_PER_A3_IN_GPA, "in bar"),
        (VOLUME, "lacks the factor of the volume"),
        (3.0, "3 times the other"),
    ],
)
def test_factor_between_stress_and_virial_is_named(factor, words):
    with pytest.raises(LabelError, match=words):
        stress_of(stress=factor * VOIGT, virial=-VOLUME * TENSOR)


def test_other_contradictions():
    with pytest.raises(LabelError, match="not proportional"):
        stress_of(stress=VOIGT, virial=-VOLUME * VOIGT[::-1])
    with pytest.raises(LabelError, match="The virial is zero"):
        stress_of(stress=VOIGT, virial=np.zeros(6))


def test_choice_settles_a_contradiction():
    atoms = bulk("Si")
    atoms.info.update(stress=VOIGT, virial=VOLUME * TENSOR)
    np.testing.assert_array_equal(read_labels([atoms], stress_key="stress")[0].stress, VOIGT)
    np.testing.assert_allclose(read_labels([atoms], virial_key="virial")[0].stress, -VOIGT)
    with pytest.raises(LabelError, match="sign of one is flipped"):
        read_labels([atoms], stress_key="stress", virial_key="virial")


def test_stress_without_a_volume():
    molecule = Atoms("H2", positions=[[0, 0, 0], [0.7, 0, 0]])
    molecule.info.update(energy=1.0, stress=VOIGT)
    labels = read_labels([molecule])
    assert labels[0].stress is None
    assert labels[0].volume is None
    assert "stress of 1 structures ignored, since their cells have no volume (first: structure 0)" in labels.report()
    with pytest.raises(LabelError, match="cell has no volume"):
        read_labels([molecule], stress_key="stress")
