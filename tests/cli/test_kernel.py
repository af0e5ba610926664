"""Kernel potentials from the command line: options, settings files, and combinations that would do nothing."""

import numpy as np
import pytest
import yaml
from ase.io import write

from linmlp import ACE, SOAP, LinearPotential, SparseKernelPotential, load
from linmlp.datasets import load_silicon

SOAP_OPTIONS = ("--cutoff", "4", "--n-max", "3", "--l-max", "2", "--sigma", "0.6")
QUICK = ("--alpha", "1e-3", "--energy-weight", "100", "--energy-per", "atom")


@pytest.fixture(scope="module")
def structures():
    return load_silicon()[0][:30]


@pytest.fixture(scope="module")
def data(structures, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "train.xyz"
    write(path, structures, format="extxyz")
    return path


def test_options_make_the_potential_of_the_library(run, data, structures, tmp_path):
    options = ("--kernel", *SOAP_OPTIONS, "--n-sparse", "20", "--zeta", "2", "--selection", "cur", *QUICK)
    code, out, err = run("fit", data, "-o", "kernel", *options)
    assert (code, err) == (0, "")
    assert "SOAP" in out
    model = load("kernel")
    assert type(model) is SparseKernelPotential
    settings = {"alpha": 1e-3, "energy_weight": 100.0, "energy_per": "atom"}
    same = SparseKernelPotential(SOAP(4.0, 3, 2, 0.6), 20, 2.0, "cur", n_jobs=-1, **settings).fit(structures)
    np.testing.assert_allclose(model.predict(structures), same.predict(structures), rtol=1e-6)
    written = yaml.safe_load((tmp_path / "kernel.yaml").read_text())
    assert (written["kernel"], written["n_sparse"], written["zeta"], written["l_max"]) == (True, 20, 2.0, 2)
    assert run("fit", "--settings", "kernel.yaml", "-o", "again")[0] == 0
    np.testing.assert_array_equal(load("again").coef_, model.coef_)


def test_a_settings_file_with_a_kernel_on_ace_and_a_pair_term(run, data, structures, tmp_path):
    groups = sorted({atoms.info["config_type"] for atoms in structures})
    text = f"""
train: {data}
output: my.linmlp
descriptor: ace
kernel: true
cutoff: 4.0
max_degree: [5, 4, 3]
n_sparse: 12
zeta: 2
per_group: {{{groups[0]}: 3}}
n_candidates: 200
pair_term: true
alpha: 0.001
energy_weight: 100
energy_per: atom
"""
    (tmp_path / "my.yaml").write_text(text)
    assert run("fit", "--settings", "my.yaml")[0] == 0
    model = load("my.linmlp")
    pair, kernel = model.descriptor_.descriptors_
    assert isinstance(pair, ACE)
    assert pair.cutoff_ == 4.0
    assert max(pair.feature_degrees()[:, 0]) == 1
    assert isinstance(kernel.descriptor_, ACE)
    assert (kernel.n_sparse, kernel.zeta, kernel.per_group, kernel.n_candidates) == (12, 2.0, {groups[0]: 3}, 200)
    assert kernel.descriptor_.max_degree_ == (5, 4, 3)


def test_soap_without_a_kernel(run, data):
    assert run("fit", data, "--descriptor", "soap", *SOAP_OPTIONS, "--compression", "mu2", *QUICK)[0] == 0
    model = load("model.linmlp")
    assert type(model) is LinearPotential
    assert isinstance(model.descriptor_, SOAP)
    assert (model.descriptor_.compression, model.descriptor_.cutoff_) == ("mu2", 4.0)


def test_the_defaults_are_those_of_the_library(run, data):
    from linmlp.cli.settings import FitSettings

    made = FitSettings(train=data, kernel=True).potential().get_params()
    library = SparseKernelPotential(SOAP()).get_params()
    different = {name for name, value in made.items() if repr(value) != repr(library[name])}
    assert different == {"n_jobs"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--zeta", "2"), "zeta: 2.0 would have no effect without kernel: true"),
        (("--n-sparse", "9", "--no-kernel"), "n_sparse: 9 would have no effect without kernel: true"),
        (("--pair-term",), "pair_term: True would have no effect"),
        (("--l-max", "3"), "l_max: 3 would have no effect without descriptor: soap"),
        (("--kernel", "--order", "2"), "order: 2 would have no effect without descriptor: ace"),
        (("--kernel", "--zeta", "0.5"), "zeta=0.5"),
        (("--kernel", "--n-sparse", "0"), "n_sparse=0"),
        (("--kernel", "--selection", "best"), "selection"),
        (("--kernel", "--sigma", "-1"), "sigma=-1.0"),
        (("--descriptor", "snap"), "descriptor"),
    ],
)
def test_what_cannot_be_used(run, data, tmp_path, options, words):
    code, _, err = run("fit", data, *options, *QUICK)
    assert code == 2
    assert err.startswith("linmlp: ")
    assert words in err
    assert not list(tmp_path.iterdir())
