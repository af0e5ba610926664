"""Tensors: rotation against the four-index formula, moduli of known materials, stability."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from linmlp.evaluation.mechanics import ElasticTensor
from linmlp.evaluation.mechanics.elastic_tensor import wallace_tensor
from linmlp.evaluation.mechanics.strains import deformation, green_strain, piola_stress
from linmlp.exceptions import SettingsError
from linmlp.units import VOIGT, matrix_from_voigt, voigt_from_matrix


def cubic(c11, c12, c44):
    matrix = np.diag([c11] * 3 + [c44] * 3).astype(float)
    matrix[:3, :3] += c12 * (1.0 - np.eye(3))
    return ElasticTensor(matrix)


def random_tensor(seed):
    factor = np.random.default_rng(seed).normal(size=(6, 6))
    return ElasticTensor(factor @ factor.T + 6.0 * np.eye(6))


def four_indices(matrix):
    index = {pair: k for k, (i, j) in enumerate(VOIGT) for pair in ((i, j), (j, i))}
    return np.array(
        [[[[matrix[index[i, j], index[k, l]] for l in range(3)] for k in range(3)] for j in range(3)] for i in range(3)]
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_rotation_is_that_of_four_indices(seed):
    tensor, r = random_tensor(seed), Rotation.random(random_state=seed).as_matrix()
    turned = np.einsum("ia,jb,kc,ld,abcd->ijkl", r, r, r, r, four_indices(tensor.matrix))
    np.testing.assert_allclose(four_indices(tensor.rotated(r).matrix), turned, atol=1e-10)


def test_moduli_of_a_cubic_crystal():
    moduli = cubic(165.7, 63.9, 79.6).moduli()
    assert moduli.bulk_modulus == pytest.approx((165.7 + 2 * 63.9) / 3)
    assert moduli.bulk_voigt == pytest.approx(moduli.bulk_reuss)
    assert moduli.shear_voigt == pytest.approx((165.7 - 63.9 + 3 * 79.6) / 5)
    assert moduli.shear_reuss == pytest.approx(5 * (165.7 - 63.9) * 79.6 / (4 * 79.6 + 3 * (165.7 - 63.9)))
    k, g = moduli.bulk_modulus, moduli.shear_modulus
    assert moduli.young_modulus == pytest.approx(9 * k * g / (3 * k + g))
    assert moduli.poisson_ratio == pytest.approx((3 * k - 2 * g) / (2 * (3 * k + g)))


def test_an_isotropic_material_is_the_same_in_all_directions():
    tensor = cubic(100.0, 40.0, 30.0)
    assert tensor.moduli().anisotropy == pytest.approx(0.0, abs=1e-12)
    directions = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(tensor.young_modulus(directions), tensor.moduli().young_modulus)
    np.testing.assert_allclose(
        tensor.rotated(Rotation.random(random_state=1).as_matrix()).matrix, tensor.matrix, atol=1e-9
    )


def test_symmetry_leaves_the_independent_constants():
    octahedral = Rotation.create_group("O").as_matrix()
    matrix = random_tensor(3).symmetrized(octahedral).matrix
    np.testing.assert_allclose(matrix, cubic(matrix[0, 0], matrix[0, 1], matrix[3, 3]).matrix, atol=1e-10)
    # The projection keeps the part of the tensor that has the symmetry: here its trace over axes.
    assert matrix[0, 0] == pytest.approx(np.trace(random_tensor(3).matrix[:3, :3]) / 3)


def test_stability():
    assert cubic(100.0, 40.0, 30.0).is_stable
    assert not cubic(100.0, 110.0, 30.0).is_stable
    soft = cubic(100.0, 40.0, -5.0)
    assert not soft.is_stable
    assert np.abs(soft.softest[:3]).max() < 1e-12
    assert np.isnan(soft.moduli().bulk_modulus)
    with pytest.raises(SettingsError, match="no Young's modulus"):
        soft.young_modulus(np.eye(3))
    with pytest.raises(SettingsError, match="6 x 6"):
        ElasticTensor(np.eye(3))


def test_pressure_changes_stability_as_in_textbooks():
    pressure = 7.0
    tensor = wallace_tensor(cubic(100.0, 40.0, 30.0), np.array([-pressure] * 3 + [0.0] * 3))
    np.testing.assert_allclose(tensor.matrix, cubic(93.0, 47.0, 23.0).matrix)


def test_strains_and_stresses_do_work():
    """The Piola stress is the derivative of the energy by the Green strain: both give the same power."""
    rng = np.random.default_rng(5)
    strain, cauchy = 0.05 * rng.normal(size=6), rng.normal(size=6)
    gradient = Rotation.random(random_state=2).as_matrix() @ deformation(strain)
    np.testing.assert_allclose(green_strain(gradient), strain, atol=1e-14)
    speed = rng.normal(size=(3, 3))
    power = np.linalg.det(gradient) * np.sum(matrix_from_voigt(cauchy) * (speed @ np.linalg.inv(gradient)))
    rate = voigt_from_matrix((speed.T @ gradient + gradient.T @ speed) / 2.0) * [1, 1, 1, 2, 2, 2]
    assert piola_stress(gradient, cauchy) @ rate == pytest.approx(power)
