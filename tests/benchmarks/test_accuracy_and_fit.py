"""The benchmarks of accuracy and of the fit run in their tiny mode and print their figures."""

import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("path", "figure"),
    [
        ("accuracy/zuo.py", "cross-validation, mean of 1"),
        ("accuracy/dimers.py", "repels everywhere below"),
        ("accuracy/selection.py", "per path over 2 folds"),
        ("accuracy/selection_costs.py", "best score within budgets"),
        ("accuracy/order_five.py", "products, rank 23 of 23 functions of order 5"),
        ("accuracy/orders.py", "pays as well if it gains"),
        ("accuracy/evidence.py", "evidence, per auto, BayesianRidge"),
        ("accuracy/transferability.py", "groups left out and 5 folds solved"),
        ("accuracy/structure_selection.py", "better than random"),
        ("speed/fit.py", "ratio of the fit"),
        ("speed/search.py", "agreement with QR of the rows"),
    ],
)
def test_tiny_mode(path, figure, capsys):
    runpy.run_path(str(BENCHMARKS / path))["main"](["--tiny"])
    assert figure in capsys.readouterr().out
