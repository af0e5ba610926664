"""The section on transport: a short run of a melt, and what is missing for it."""

import pytest

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_lithium_chloride
from linmlp.evaluation.report.inputs import Inputs
from linmlp.evaluation.report.transport import TransportSection
from linmlp.evaluation.transport import run_transport


@pytest.fixture(scope="module")
def melt():
    """A small potential of lithium chloride and a melt."""
    train, test = load_lithium_chloride()
    model = LinearPotential(ACE(cutoff=5.0, order=2, max_degree=(8, 6)), alpha=1e-5, energy_weight=40.0).fit(train)
    return model, test, next(atoms for atoms in test if atoms.info["config_type"] == "melt")


def test_what_is_missing_is_said(melt):
    model, test, start = melt
    missing = TransportSection().missing
    assert missing(Inputs(model, None, test)) == "give --md STRUCTURE and --charges, such as Li=1,Cl=-1"
    assert missing(Inputs(model, None, test, md=start)) == "give --charges, such as Li=1,Cl=-1"
    assert missing(Inputs(model, None, test, md=start, charges={"Li": 1.0, "Cl": -1.0})) == ""


def test_it_says_what_the_runs_say(melt, tmp_path):
    model, test, start = melt
    charges = {"Li": 1.0, "Cl": -1.0}
    inputs = Inputs(
        model, None, test, md=start, temperatures=(1000.0,), charges=charges, transport_time=2.2, timestep=2.0
    )
    inputs.md_folder, parts = tmp_path, []
    content = TransportSection().make(inputs, parts.append)
    assert parts == sorted(parts)
    assert 0.9 < parts[-1] <= 1.0
    series = run_transport(
        model,
        start,
        (1000.0,),
        charges,
        time=2.2,
        equilibration=2.2,
        timestep=2.0,
        folder=tmp_path / "transport",
        random_state=0,
    )
    (text,) = [block.text for block in content.blocks if block.kind == "preformatted"]
    assert text == str(series)
    assert content.verdicts[0].text.startswith("At 1000 K diffusion is seen of")
    assert [v.text for v in content.verdicts[1:]] == [f"At 1000 K: {note}." for note in series.results[0].notes]
    keys = [figure.key for figure in content.blocks[-1].figures]
    assert keys == ["msd-1000", "charges-1000"]
