"""Sections on crystals and on structures beyond training: what they say is what the functions beneath say."""

import pytest
from ase.build import bulk, molecule

from linmlp.evaluation.mechanics import elastic_constants, equation_of_state
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.mechanics import MechanicsSection, _elastic_verdict
from linmlp.evaluation.report.transferability import TransferabilitySection
from linmlp.evaluation.report.words import number
from linmlp.evaluation.transferability import assess_transferability


def nothing(part):
    pass


def section(full, key):
    return next(made for made in full.report.sections if made.key == key)


def texts(content, kind="preformatted"):
    return [block.text for block in content.blocks if block.kind == kind]


class TestCrystal:
    def test_numbers_are_those_of_the_crystal(self, small, full):
        made = section(full, "mechanics")
        atoms = bulk("Si", cubic=True)
        curve, constants = equation_of_state(small.model, atoms), elastic_constants(small.model, atoms)
        volume, stable = made.content.verdicts
        assert volume.text == (
            f"The crystal has {number(curve.volume, 4)} Å³/atom and a bulk modulus of {number(curve.bulk_modulus)} GPa."
        )
        assert stable.level == ("good" if constants.is_stable else "bad")
        assert f"{number(float(constants.stability.eigenvalues[0]))} GPa" in stable.text
        assert len(texts(made.content)) == 2

    def test_an_unstable_crystal_is_bad(self, small):
        from types import SimpleNamespace

        import numpy as np

        soft = SimpleNamespace(is_stable=False, stability=SimpleNamespace(eigenvalues=np.array([-3.0, 1.0])))
        assert _elastic_verdict(soft).level == "bad"
        assert "−3.00 GPa" in _elastic_verdict(soft).text

    def test_which_crystal_is_taken(self, small):
        given = bulk("Si")
        assert Inputs(small.model, None, small.test, crystal_given=given).crystal == (given, "the crystal given")
        atoms, which = Inputs(small.model, None, small.test, md=small.md).crystal
        assert (atoms is small.md, which) == (True, "the structure given for MD")
        hot = small.md.copy()
        hot.rattle(0.2, seed=0)
        atoms, which = Inputs(small.model, None, small.test, md=hot).crystal
        place = int(which.split()[2].rstrip(","))
        assert atoms is small.test[place]
        energies = [small.model.predict([a])[0] / len(a) for a in small.test]
        forces = [(f**2).sum(axis=1).max() ** 0.5 for f in small.model.predict_forces(small.test)]
        calm = [e for e, f in zip(energies, forces, strict=True) if f < 0.1]
        assert energies[place] == pytest.approx(min(calm))

    def test_without_a_crystal_it_is_not_made(self, small):
        hot = [atoms for atoms in small.test if atoms.info["config_type"] in ("liquid", "amorphous")]
        assert hot
        assert MechanicsSection().missing(Inputs(small.model, None, hot)) == "give --crystal STRUCTURE"

    def test_what_cannot_be_computed_is_said(self, small):
        lone = molecule("Si2H6")
        lone.set_cell([9.0, 9.0, 9.0])
        lone.pbc = True
        content = MechanicsSection().make(Inputs(small.model, None, small.test, crystal_given=lone), nothing)
        assert [v.level for v in content.verdicts] == ["warning", "warning"]
        assert "could not be computed: the structure holds H" in content.verdicts[0].text


class TestBeyondTraining:
    def test_statements_and_tables_are_those_of_the_assessment(self, small, full):
        made = section(full, "transferability")
        result = assess_transferability(small.model, small.train, small.test)
        groups = result.groups
        assert made.content.verdicts[0].text[1:-1] == groups.summary()[1:]
        sentences = texts(made.content, "paragraph")
        sentences += [verdict.text for verdict in made.content.verdicts]
        for part in (result.groups, result.grades, result.volume):
            assert {line[1:] for line in part.statement().splitlines()} <= {text[1:-1] for text in sentences}
        rows = {row[0]: row[1:] for block in made.content.blocks if block.kind == "table" for row in block.rows}
        for row in groups.rows:
            assert rows[row.name][0] == str(row.n_structures)
            assert rows[row.name][1:3] == (number(row.without.energy_mae), number(row.within.energy_mae))
        for b in result.grades.bins[:-1]:
            assert rows[f"{b.low:g} to {b.high:g}"][1] == number(b.force_rmse)
        for b in result.volume.bins:
            assert rows[f"{b.low:.4g} to {b.high:.4g}"][3] == number(b.energy_mae)
        assert all(why in "\n".join(texts(made.content, "paragraph")) for why in result.missing.values())

    def test_without_grades_it_says_so(self, small):
        bare = small.model.__class__(**small.model.get_params(deep=False)).set_params(uncertainty=False)
        bare.fit(small.train)
        content = TransferabilitySection().make(Inputs(bare, None, small.test, small.train), nothing)
        assert any("the potential has no grades" in text for text in texts(content, "paragraph"))
