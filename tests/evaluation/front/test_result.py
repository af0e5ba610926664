"""What a front says and writes."""

import json
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from linmlp.evaluation.front import Front, Point, plot_front, write_front
from linmlp.exceptions import InputError, SettingsError

mpl.use("Agg")

POINTS = (
    Point("fast", 145, 5.0, 0.2, -3.0, 1.5, {"features": None}),
    Point("100 selected", 100, 4.0, 0.3, -2.9, 1.6, {"solver": "selection"}),
    Point("balanced", 750, 2.0, 0.1, -4.0, 4.0, {"features": None}),
)


@pytest.fixture
def made_up():
    yield Front(POINTS, 5.0, 5, 20, None)
    plt.close("all")


def test_table(made_up):
    lines = str(made_up).splitlines()
    assert lines[0] == "20 structures, 5 folds, cutoff 5 Å"
    cells = [re.split(r"\s{2,}", line) for line in lines[1:]]
    assert cells[1] == ["fast", "145", "5.00", "0.200", "+100.0 %", "1.50", "yes"]
    assert cells[2] == ["100 selected", "100", "4.00", "0.300", "+110.0 %", "1.60"]
    frame = made_up.to_frame()
    assert list(frame["is_pareto"]) == [True, False, True]
    assert frame.loc["balanced", "cost"] == 4.0


def test_statement(made_up):
    assert made_up.statement().startswith("Recommended: balanced, 750 functions (the cheapest whose errors are within")
    assert "Recommended: 100 selected functions (" in Front(POINTS[1:2], 5.0, 5, 20, None).statement()
    told = made_up.statement(2.0)
    assert "fast, 145 functions (the best that takes 2 µs per atom and step or less)" in told
    assert "5.00 meV/atom and 0.200 eV/Å on held-out structures, 1.50 µs" in told


def test_json_of_budgets(made_up, tmp_path):
    write_front(made_up, tmp_path / "front.json", budget=2.0)
    plain = json.loads((tmp_path / "front.json").read_text())
    assert (plain["recommended"], plain["budget"], len(plain["points"])) == ("fast", 2.0, 3)
    assert plain["points"][1]["energy_mae"] == 4.0
    assert made_up.to_dict(1.0)["recommended"] is None


def test_json_of_a_real_front(front):
    points = json.loads(front.to_json())["points"]
    assert [point["n_functions"] for point in points] == [point.n_functions for point in front.points]
    assert points[0]["settings"]["features"] == {"up_to_degree": [4, 3]}
    solver = points[-1]["settings"]["solver"]
    assert solver["solver"] == "ForwardSelection"
    assert solver["settings"]["costs"].startswith("FeatureCosts(42 features, ")
    assert points[-1]["name"] == "12 thrifty"


def test_page(made_up, tmp_path):
    write_front(made_up, tmp_path / "front.html", budget=2.0)
    page = (tmp_path / "front.html").read_text()
    assert page.count('<img src="data:image/svg+xml') == 2
    assert "Recommended: fast" in page
    assert "100 selected" in page
    write_front(made_up, tmp_path / "front.html", budget=1.0)
    assert "the fastest found (fast) takes 1.5" in (tmp_path / "front.html").read_text()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_pictures(ending, made_up, tmp_path):
    write_front(made_up, tmp_path / f"front.{ending}")
    assert (tmp_path / f"front.{ending}").stat().st_size > 1000


def test_only_points_of_the_front_are_filled_and_joined(made_up):
    ax = made_up.plot("energy_mae", budget=2.0)
    assert ax.lines[0].get_xydata().tolist() == [[1.5, 5.0], [4.0, 2.0]]
    by_degree, selected = ax.collections
    assert by_degree.get_offsets().tolist() == [[1.5, 5.0], [4.0, 2.0]]
    assert selected.get_facecolors().tolist() == [[1.0, 1.0, 1.0, 1.0]]
    assert ax.lines[1].get_xdata()[0] == 2.0
    with pytest.raises(SettingsError, match="metric='stress_rmse'; give one of energy_mae, force_rmse"):
        plot_front(made_up, "stress_rmse")


def test_every_way_to_select_has_a_color(front):
    ax = front.plot()
    labels = ["by degree", "selected", "frugal", "thrifty"]
    assert [points.get_label() for points in ax.collections] == labels
    assert len({tuple(points.get_edgecolors()[0]) for points in ax.collections}) == len(labels)
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("12") == 3
    assert "degrees 4,3" in texts
    plt.close("all")


def test_energies_alone_are_drawn_alone(tmp_path):
    points = tuple(Point(p.name, 5, p.energy_mae, None, p.score, p.cost, p.settings) for p in POINTS)
    front = Front(points, 5.0, 5, 20, None)
    write_front(front, tmp_path / "front.html")
    assert (tmp_path / "front.html").read_text().count("<img") == 1
    assert "–" in str(front)
    with pytest.raises(SettingsError, match="no structure has such a label"):
        front.plot("force_rmse")


def test_files_that_cannot_be_written(made_up, tmp_path):
    with pytest.raises(SettingsError, match=r"front.txt: its ending says what to write; give one of .html, .json"):
        write_front(made_up, tmp_path / "front.txt")
    with pytest.raises(InputError, match="no folder"):
        write_front(made_up, tmp_path / "nowhere" / "front.html")
