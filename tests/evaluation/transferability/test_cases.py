"""What is left out together, and what cannot be predicted then."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from linmlp.datasets import load_silicon
from linmlp.evaluation.transferability.cases import chemical_systems, element_cases, group_cases, group_names
from linmlp.exceptions import SettingsError


def rock_salt():
    return bulk("LiCl", "rocksalt", a=5.1)


def test_groups_are_named_by_key_rule_and_values():
    structures = load_silicon()[0][:6]
    names = group_names(structures)
    assert names == [atoms.info["config_type"] for atoms in structures]
    for k, atoms in enumerate(structures):
        atoms.info["run"] = k // 2
    assert group_names(structures, "run") == ["0", "0", "1", "1", "2", "2"]
    assert group_names(structures, lambda atoms: len(atoms)) == [str(len(atoms)) for atoms in structures]
    assert group_names(structures, list("aabbcc")) == list("aabbcc")
    assert group_names([structures[0], structures[0]], "trajectory") == ["trajectory 0", "trajectory 0"]
    with pytest.raises(SettingsError, match="3 values for 6"):
        group_names(structures, ["a"] * 3)
    with pytest.raises(SettingsError, match=r"has no info\['sweep'\]"):
        group_names(structures, "sweep")


def test_a_case_leaves_a_whole_group_out():
    structures = [bulk("Si")] * 5
    cases = group_cases(structures, list("abbac"))
    assert [case.name for case in cases] == ["a", "b", "c"]
    np.testing.assert_array_equal(cases[0].test, [0, 3])
    np.testing.assert_array_equal(cases[0].train, [1, 2, 4])
    with pytest.raises(SettingsError, match="are of one group, 'a': without it nothing remains"):
        group_cases(structures, ["a"] * 5)


def test_structures_of_elements_that_do_not_remain_are_left_out_of_a_case():
    structures = [bulk("Li"), rock_salt(), bulk("Li"), bulk("Li"), bulk("Cu")]
    mixed, rest, copper = (
        group_cases(structures, ["mixed", "mixed", "rest", "rest", "copper"])[1:]
        + group_cases(structures, ["mixed", "mixed", "rest", "rest", "copper"])[:1]
    )
    assert mixed.name == "mixed"
    np.testing.assert_array_equal(mixed.test, [0])
    assert (mixed.n_skipped, mixed.impossible) == (1, "")
    assert copper.impossible == "no structure with Cu remains"
    assert rest.impossible == ""


def test_isolated_atoms_do_not_make_an_element_known():
    lone = Atoms("Cl", cell=[15.0] * 3, pbc=True)
    cases = group_cases([bulk("Li"), lone, rock_salt()], chemical_systems([bulk("Li"), lone, rock_salt()]))
    assert {case.name: case.impossible for case in cases} == {
        "Cl": "",
        "Cl-Li": "only isolated atoms of Cl remain",
        "Li": "",
    }


def test_compounds_of_an_element_are_left_out_and_the_pure_element_stays():
    pure, other = bulk("Cu"), bulk("Au", a=4.1)
    alloy = bulk("Cu", cubic=True, a=3.8)
    alloy.symbols[:2] = "Au"
    copper_only = Atoms("CuNi", [[0, 0, 0], [0, 0, 2.3]])
    structures = [pure, other, alloy, copper_only]
    cases = {case.name: case for case in element_cases(structures)}
    np.testing.assert_array_equal(cases["Au"].test, [2])
    np.testing.assert_array_equal(cases["Au"].train, [0, 1, 3])
    np.testing.assert_array_equal(cases["Cu"].test, [2])  # with Ni none remains
    assert cases["Cu"].n_skipped == 1
    assert cases["Ni"].impossible == "no structure with Ni remains"
    apart = {case.name: case for case in element_cases([pure, other])}
    assert apart["Cu"].impossible == "no structure holds Cu together with another element"
    with pytest.raises(SettingsError, match="one element, Cu"):
        element_cases([pure, pure])
