"""Diffusion and conductivity of walkers whose diffusion and charge are known."""

import json

import numpy as np
import pytest
from ase.units import kB

from linmlp.evaluation.transport import compute_transport, plot_msd, regression
from linmlp.exceptions import SettingsError, StructureError
from linmlp.units import E2_PER_EV_A_PS_IN_S_PER_CM
from tests.naive.transport import frames_of, walk_about_center, walkers

STEPS = {"Li": 0.3, "Cl": 0.2}
FORMULA, LENGTH = "Li12Cl12", 12.0
IONS = {"charges": {"Li": 1, "Cl": -1}, "timestep": 2.0, "every": 10, "temperature": 1000.0}


@pytest.fixture
def short_chains(monkeypatch):
    """Fewer samples than usual: errors within ten per cent are enough here."""
    monkeypatch.setattr(regression, "N_BURN", 150)
    monkeypatch.setattr(regression, "N_SAMPLES", 150)


def walking(seed, n_frames=600):
    return walkers(FORMULA, n_frames, STEPS, seed)


def known():
    """Coefficients (cm²/s), Nernst-Einstein and collective conductivity (S/cm) of the walkers."""
    interval = 0.02
    slopes = walk_about_center(FORMULA, STEPS)
    diffusion = {e: slope / (6.0 * interval) * 1e-4 for e, slope in slopes.items()}
    unit = E2_PER_EV_A_PS_IN_S_PER_CM / (LENGTH**3 * kB * 1000.0)
    together = 12 * (STEPS["Li"] ** 2 + STEPS["Cl"] ** 2) * 3.0 / (6.0 * interval)
    return diffusion, unit * 12 * 1e4 * sum(diffusion.values()), unit * together


def test_values_and_errors_over_seeds(short_chains):
    diffusion, independent, together = known()
    z = {"Li": [], "Cl": [], "independent": [], "together": []}
    for seed in range(20):
        found = compute_transport(walking(seed, 400), **IONS, start=0.06)
        for element, wanted in diffusion.items():
            value, error = found.diffusion[element].coefficient
            z[element].append((value - wanted) / error)
        for name, wanted, (value, error) in (
            ("independent", independent, found.conductivity.nernst_einstein),
            ("together", together, found.conductivity.collective),
        ):
            z[name].append((value - wanted) / error)
    for name, scores in z.items():
        # Of 20: the mean has a standard error of 0.22, the standard deviation one of 0.16.
        assert abs(np.mean(scores)) < 0.8, name
        assert 0.55 < np.std(scores) < 1.5, name


def test_statement_and_numbers(short_chains):
    found = compute_transport(walking(0), **IONS, viscosity=1.5, start=0.2)
    told = str(found)
    for words in ("24 atoms in 12.00 x 12.00 x 12.00 Å", "1000.0 K", "11.98 ps", "frames of 20 fs", "0.2 ps on"):
        assert words in told
    assert "Haven ratio" in told
    assert "Yeh-Hummer" in told
    table = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert table["n_atoms"] == 24
    assert table["diffusion"]["Li"]["coefficient_cm2_per_s"]["value"] == found.diffusion["Li"].coefficient.value
    haven = found.conductivity.haven_ratio
    assert haven.value == pytest.approx(found.conductivity.nernst_einstein.value / found.conductivity.collective.value)
    axes = plot_msd(found)
    assert [ax.get_yscale() for ax in axes] == ["log", "log"]
    # 2.837297 kB T / (6 pi eta L) in SI
    shift = 2.837297 * 1.380649e-23 * 1000.0 / (6.0 * np.pi * 1.5e-3 * 12e-10) * 1e4
    tracer = found.diffusion["Li"]
    assert tracer.corrected.value - tracer.coefficient.value == pytest.approx(shift, rel=1e-6)


def test_independent_runs_are_put_together(short_chains):
    one, two = walking(0), walking(1)
    alone = compute_transport(one, timestep=2.0, every=10, temperature=1000.0, start=0.1)
    both = compute_transport(one, two, timestep=2.0, every=10, temperature=1000.0, start=0.1)
    assert both.n_runs == 2
    assert both.time == pytest.approx(2.0 * alone.time)
    ratio = both.diffusion["Li"].coefficient.error / alone.diffusion["Li"].coefficient.error
    assert ratio == pytest.approx(2.0**-0.5, rel=0.25)
    with pytest.raises(StructureError, match="trajectory 1 holds other atoms"):
        compute_transport(one, walkers("Li10Cl14", 100, STEPS, 0), timestep=2.0, temperature=1000.0)
    with pytest.raises(StructureError, match="trajectory 1 has another cell"):
        compute_transport(one, walkers(FORMULA, 100, STEPS, 0, length=13.0), timestep=2.0, temperature=1000.0)


def test_pairs_do_not_conduct(short_chains):
    rng = np.random.default_rng(0)
    pairs = rng.random((12, 3)) * LENGTH + np.cumsum(rng.normal(size=(600, 12, 3)) * 0.3, axis=0)
    rigid = np.concatenate([pairs, pairs + 1.0], axis=1)
    found = compute_transport(frames_of(FORMULA, rigid, LENGTH), **IONS).conductivity
    assert found.collective == (0.0, 0.0)
    assert found.ratio.value == 0.0
    assert found.haven_ratio is None
    assert found.nernst_einstein.value > 1.0
    assert "Haven ratio not determined" in str(found)
    # Pairs that vibrate: a limit far below the independent ions.
    loose = rigid + 0.1 * rng.normal(size=rigid.shape)
    found = compute_transport(frames_of(FORMULA, loose, LENGTH), **IONS, start=0.1).conductivity
    assert found.collective.value < 3.0 * found.collective.error
    assert found.upper < 0.05 * found.nernst_einstein.value
    # Like ions that move in pairs: twice the conductivity of independent ones, a Haven ratio of one half.
    half = pairs[:, :6] - np.mean(pairs, axis=1, keepdims=True)
    other = pairs[:, 6:] - np.mean(pairs, axis=1, keepdims=True)
    alike = np.concatenate([half, half + 1.0, other, other + 1.0], axis=1)
    ratios = [
        compute_transport(frames_of(FORMULA, alike[k : k + 300], LENGTH), **IONS, start=0.02).conductivity.ratio
        for k in (0, 300)
    ]
    assert np.mean([r.value for r in ratios]) == pytest.approx(2.0, abs=3.0 * np.hypot(*[r.error for r in ratios]) / 2)


def test_atoms_that_stay_are_told_as_such(short_chains):
    rng = np.random.default_rng(1)
    sites = rng.random((24, 3)) * LENGTH
    frames = frames_of(FORMULA, sites + 0.1 * rng.normal(size=(600, 24, 3)), LENGTH)
    found = compute_transport(frames, timestep=2.0, every=10, temperature=300.0)
    for tracer in found.diffusion.values():
        assert not tracer.is_resolved
        assert tracer.upper < 1e-6
    assert "no diffusion seen" in str(found)
    assert found.conductivity is None
    frozen = compute_transport([frames[0]] * 100, **IONS)
    assert frozen.conductivity.ratio is None
    assert "Haven ratio not determined" in str(frozen)
    json.dumps(frozen.to_dict(), allow_nan=False)


def test_drift_of_the_whole_cell_does_not_matter(short_chains):
    frames = walking(2)
    drifting = [frame.copy() for frame in frames]
    for k, frame in enumerate(drifting):
        frame.positions += [0.05 * k, 0.0, -0.02 * k]
        frame.wrap()
    settings = {**IONS, "start": 0.1}
    still, moving = (compute_transport(f, **settings).to_dict() for f in (frames, drifting))
    assert moving["diffusion"]["Li"]["displacements_A2"] == pytest.approx(still["diffusion"]["Li"]["displacements_A2"])
    assert moving["conductivity"]["displacements_e2_A2"] == pytest.approx(still["conductivity"]["displacements_e2_A2"])


def test_settings_that_cannot_be_used(short_chains):
    frames = walking(0, 100)
    for settings, message in [
        ({"timestep": None}, r"give timestep= \(fs\) and every="),
        ({"timestep": -1.0}, "both must be above 0"),
        ({"every": 0}, "both must be above 0"),
        ({"temperature": None}, "no velocities to take the temperature from"),
        ({"temperature": -5.0}, "give one above 0 K"),
        ({"charges": {"Li": 1}}, "no charge for Cl"),
        ({"charges": {"Li": 1, "Cl": -1, "Na": 1}}, "a charge for Na, which is absent"),
        ({"charges": {"Li": 2, "Cl": -1}}, r"Cl12 Li12 a net charge of \+12 e; they must sum to zero"),
        ({"charges": {"Li": 0, "Cl": 0}}, "nothing is charged"),
        ({"charges": {"Li": float("nan"), "Cl": -1}}, "must sum to zero"),
        ({"mobile": ["Na"]}, "the cell holds Cl, Li; name one"),
        ({"mobile": []}, "name one or more"),
        ({"start": 0.6}, "less than a quarter of the shortest run"),
        ({"start": -1.0}, "give more than 0"),
        ({"viscosity": -1.0}, "viscosity=-1.0"),
    ]:
        with pytest.raises(SettingsError, match=message):
            compute_transport(frames, **{**IONS, **settings})
    oblong = [frame.copy() for frame in frames]
    for frame in oblong:
        frame.set_cell([12.0, 12.0, 14.0])
    with pytest.raises(SettingsError, match="for cubic cells"):
        compute_transport(oblong, **IONS, viscosity=1.0)
