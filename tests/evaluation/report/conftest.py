"""A small potential of the bundled silicon with everything that a report can show, and its report."""

from types import SimpleNamespace

import pytest
from ase.build import bulk

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon
from linmlp.evaluation.report import write_report


@pytest.fixture(scope="session")
def small():
    """Potential with uncertainties and a search, its training and test structures, a supercell for MD."""
    train, test = load_silicon()
    model = LinearPotential(ACE(cutoff=4.0, order=2, max_degree=(6, 4)), uncertainty=True, n_folds=3).fit(train[::4])
    # Some training structures that were not fitted to make enough force components for a density plot.
    return SimpleNamespace(
        model=model, train=train[::4], test=[*test, *train[1::4]], md=bulk("Si", cubic=True).repeat(2)
    )


@pytest.fixture(scope="session")
def full(small, tmp_path_factory):
    """The report with all sections, its file, its text, and the calls of `progress`."""
    folder = tmp_path_factory.mktemp("report")
    small.model.save(folder / "silicon.linmlp")
    calls = []
    report = write_report(
        folder / "silicon.linmlp",
        folder / "report.html",
        small.test,
        small.train,
        small.md,
        temperatures=(300.0, 600.0),
        time=0.1,
        command=["linmlp", "report", "a b.linmlp"],
        progress=lambda *call: calls.append(call),
    )
    path = folder / "report.html"
    return SimpleNamespace(report=report, path=path, text=path.read_text(encoding="utf-8"), calls=calls)
