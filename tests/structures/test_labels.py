import io

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io import read

from linmlp.exceptions import LabelError, LinmlpWarning, StructureError
from linmlp.structures.labels import read_labels

FORCES = np.arange(6.0).reshape(2, 3) / 10
VOIGT = np.array([0.01, 0.02, 0.03, 0.004, 0.005, 0.006])
TENSOR = np.array([[0.01, 0.006, 0.005], [0.006, 0.02, 0.004], [0.005, 0.004, 0.03]])


def silicon(info=None, arrays=None, results=None):
    atoms = bulk("Si")
    atoms.info.update(info or {})
    for key, value in (arrays or {}).items():
        atoms.arrays[key] = np.array(value)
    if results is not None:
        atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def read_one(*args, **kwargs):
    return read_labels([silicon(*args)], **kwargs)


class TestSearchOrder:
    everything = (
        {
            "mine": 1.0, "REF_energy": 2.0, "dft_energy": 3.0, "energy": 4.0,
            "REF_stress": VOIGT * 2, "dft_virial": VOIGT * 3, "stress": VOIGT * 4,
        },
        {"mine": FORCES, "REF_forces": FORCES * 2, "dft_force": FORCES * 3, "force": FORCES * 4},
        {"energy": 5.0, "forces": FORCES * 5, "stress": VOIGT * 4},
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("n_removed", "energy", "sources"),
        [
            (0, 2.0, ("info REF_energy", "arrays REF_forces", "info REF_stress")),
            (1, 3.0, ("info dft_energy", "arrays dft_force", "info dft_virial (-virial/volume)")),
            (2, 4.0, ("info energy", "arrays force", "info stress")),
            (3, 5.0, ("calculator energy", "calculator forces", "calculator stress")),
        ],
    )
    def test_best_place_first(self, n_removed, energy, sources):
        info, arrays, results = self.everything
        prefixes = ["REF_", "dft_", ""][:n_removed]
        gone = {prefix + name for prefix in prefixes for name in ("energy", "stress", "virial", "forces", "force")}
        labels = read_one(
            {k: v for k, v in info.items() if k not in gone},
            {k: v for k, v in arrays.items() if k not in gone},
            results,
        )
        assert labels[0].energy == energy
        np.testing.assert_allclose(labels[0].forces, FORCES * energy)
        assert labels.sources == {
            kind: {source: 1} for kind, source in zip(("energy", "forces", "stress"), sources, strict=True)
        }

    def test_named_keys_win(self):
        labels = read_one(*self.everything, energy_key="mine", forces_key="mine", stress_key="stress")
        assert labels[0].energy == 1.0
        np.testing.assert_array_equal(labels[0].forces, FORCES)
        np.testing.assert_array_equal(labels[0].stress, VOIGT * 4)
        assert labels.sources["forces"] == {"arrays mine": 1}

    def test_named_keys_that_ase_moved_to_the_calculator(self):
        labels = read_one({}, {}, self.everything[2], energy_key="energy", forces_key="forces", stress_key="stress")
        assert labels.sources["energy"] == {"calculator energy": 1}
        np.testing.assert_array_equal(labels[0].stress, VOIGT * 4)

    def test_automatic_keys_in_other_letters(self):
        labels = read_one({"DFT_Energy": 1.5, "Virial": -VOIGT}, {"Ref_Forces": FORCES})
        assert labels[0].energy == 1.5
        assert labels.sources["forces"] == {"arrays Ref_Forces": 1}
        np.testing.assert_allclose(labels[0].stress, VOIGT / labels[0].volume)

    def test_each_structure_for_itself(self):
        labels = read_labels([silicon({"REF_energy": 1.0}), silicon({}, {}, {"energy": 2.0}), silicon()])
        assert [item.energy for item in labels] == [1.0, 2.0, None]
        assert labels.sources["energy"] == {"info REF_energy": 1, "calculator energy": 1}
        assert labels.counts == {"energy": 2, "forces": 0, "stress": 0}


class TestFreeEnergy:
    def test_preferred_in_every_place(self):
        results = {"energy": 1.0, "free_energy": 0.5}
        labels = read_one({}, {}, results)
        assert labels[0].energy == 0.5
        assert labels.sources["energy"] == {"calculator free_energy": 1}
        assert "free energies, to which forces belong; 1 of them differ" in labels.report()
        assert read_one({"REF_energy": 1.0, "REF_free_energy": 0.25}, {}, results)[0].energy == 0.25

    def test_mixture_is_told(self):
        structures = [silicon({}, {}, {"energy": 1.0, "free_energy": 0.5}), silicon({}, {}, {"energy": 1.0})]
        with pytest.warns(LinmlpWarning, match="not the same quantity; choose with energy_key"):
            read_labels(structures)
        assert [item.energy for item in read_labels(structures, energy_key="energy")] == [1.0, 1.0]

    def test_equal_ones_are_not_worth_a_warning(self):
        structures = [silicon({}, {}, {"energy": 1.0, "free_energy": 1.0}), silicon({}, {}, {"energy": 1.0})]
        assert [item.energy for item in read_labels(structures)] == [1.0, 1.0]


class TestCalculators:
    def test_constrained_forces_are_not_zeroed(self):
        atoms = silicon({}, {}, {"forces": FORCES})
        atoms.set_constraint(FixAtoms([0, 1]))
        assert not atoms.get_forces().any()
        np.testing.assert_array_equal(read_labels([atoms])[0].forces, FORCES)

    def test_live_calculator_is_never_started(self):
        atoms = bulk("Cu", cubic=True)
        atoms.calc = EMT()
        with pytest.raises(LabelError, match="none of the 1 structures has an energy"):
            read_labels([atoms])
        assert not atoms.calc.results
        energy = atoms.get_potential_energy()
        assert read_labels([atoms])[0].energy == energy

    def test_results_of_another_geometry_are_not_used(self):
        moved, kept = silicon({}, {}, {"energy": 1.0}), silicon({}, {}, {"energy": 2.0})
        moved.positions[0] += 0.1
        with pytest.warns(LinmlpWarning, match=r"results of 1 structures ignored.*first: structure 0"):
            labels = read_labels([moved, kept])
        assert [item.energy for item in labels] == [None, 2.0]
        with pytest.raises(LabelError, match="1 structures have calculator results of another geometry"):
            read_labels([moved])


class TestThreeAtoms:
    """A 3x3 stress looks like the forces on three atoms; the section decides."""

    water = Atoms("H2O", positions=[[0.8, 0.6, 0], [-0.8, 0.6, 0], [0, 0, 0]], cell=[5, 5, 5], pbc=True)

    def test_stress_in_info_is_no_force(self):
        atoms = self.water.copy()
        atoms.info["stress"] = TENSOR
        labels = read_labels([atoms])[0]
        assert labels.forces is None
        np.testing.assert_allclose(labels.stress, VOIGT)

    def test_forces_in_arrays_are_no_stress(self):
        atoms = self.water.copy()
        atoms.arrays["force"] = TENSOR
        labels = read_labels([atoms])[0]
        assert labels.stress is None
        np.testing.assert_array_equal(labels.forces, TENSOR)

    def test_misplaced_keys_are_pointed_out(self):
        atoms = self.water.copy()
        atoms.info["f"] = TENSOR
        atoms.arrays["s"] = TENSOR
        with pytest.raises(LabelError, match="it is in info, but forces must be in arrays"):
            read_labels([atoms], forces_key="f")
        with pytest.raises(LabelError, match="it is in arrays, but stress must be in info"):
            read_labels([atoms], stress_key="s")

    def test_file_with_both(self):
        text = (
            '3\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3:force:R:3 '
            'virial="1 2 3 2 4 5 3 5 6" pbc="T T T"\n'
            "H 0.8 0.6 0 1 2 3\nH -0.8 0.6 0 2 4 5\nO 0 0 0 3 5 6\n"
        )
        labels = read_labels(read(io.StringIO(text), ":", format="extxyz"))[0]
        np.testing.assert_array_equal(labels.forces, [[1, 2, 3], [2, 4, 5], [3, 5, 6]])
        np.testing.assert_allclose(labels.stress * -125.0, [1, 4, 6, 5, 3, 2])


class TestMissing:
    def test_no_labels_at_all(self):
        with pytest.raises(
            LabelError, match=r"info: Etot; arrays: frc; calculator: none.*Name the keys with energy_key"
        ):
            read_one({"Etot": 1.0}, {"frc": FORCES})

    @pytest.mark.parametrize("kind", ["energy", "forces", "stress", "virial"])
    def test_named_key_that_nobody_has(self, kind):
        with pytest.raises(LabelError, match=rf"{kind}_key='nothing' is in .* none of the 2 structures.*info: energy"):
            read_labels([silicon({"energy": 1.0})] * 2, **{f"{kind}_key": "nothing"})

    def test_named_key_that_some_have(self):
        labels = read_labels([silicon({"E": 1.0, "energy": 9.0}), silicon({"energy": 9.0})], energy_key="E")
        assert [item.energy for item in labels] == [1.0, None]

    def test_not_structures(self):
        with pytest.raises(StructureError, match="empty"):
            read_labels([])


class TestBroken:
    @pytest.mark.parametrize(
        ("place", "message"),
        [
            (({"energy": np.nan},), "info energy holds NaN"),
            (({"energy": "low"},), "info energy is 'low', not numbers"),
            (({"energy": [1.0, 2.0]},), "one number"),
            (({}, {"forces": FORCES + np.inf}), "arrays forces holds NaN or infinite"),
            (({}, {"forces": FORCES[:, :2]}), r"shape \(2, 2\), but must have \(2, 3\)"),
            (({}, {"forces": [["a", "b", "c"]] * 2}), "not numbers"),
            (({"stress": np.full(6, np.nan)},), "info stress holds NaN"),
            (({"stress": np.ones(5)},), r"shape \(5,\); wanted are 6 numbers in the order xx yy zz yz xz xy"),
            (({"virial": np.ones((2, 3))},), "the virial"),
            (({"stress": TENSOR + np.eye(3, k=1)},), "not symmetric"),
        ],
    )
    def test_bad_values_name_the_structure(self, place, message):
        bad = silicon(*place)
        bad.info["config_type"] = "hot"
        with pytest.raises(LabelError, match=message) as caught:
            read_labels([silicon({"energy": 1.0}), bad])
        assert str(caught.value).startswith('structure 1 (Si2, config_type "hot"): ')


class TestReport:
    def test_groups_and_counts(self):
        structures = [
            silicon({"energy": 1.0, "config_type": "bulk"}),
            silicon({"energy": 1.0, "group": "melt"}, {"forces": FORCES}),
        ]
        labels = read_labels(structures)
        assert labels.config_types == ["bulk", "melt"]
        report = labels.report()
        assert "2 structures, 4 atoms" in report
        assert "energy       2 structures from info energy (2)" in report
        assert [line.split() for line in report.splitlines()[-2:]] == [
            ["bulk", "1", "1", "0", "0"],
            ["melt", "1", "1", "1", "0"],
        ]

    def test_behaves_like_a_sequence(self):
        labels = read_labels([silicon({"energy": float(k)}) for k in range(4)])
        assert len(labels) == 4
        assert [item.energy for item in labels[1:3]] == [1.0, 2.0]
        assert [item.n_atoms for item in labels] == [2] * 4
        assert labels[0].numbers.dtype == np.int64
        assert labels[0].volume == pytest.approx(silicon().get_volume())
