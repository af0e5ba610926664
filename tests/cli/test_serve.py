"""i-PI runs MD with forces of `linmlp serve`, over a local socket."""

import gc
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.socketio import actualunixsocketname
from ase.io import read, write

from linmlp.units import EV_PER_A3_IN_GPA

INPUT = """<simulation verbosity='low'>
  <output prefix='run'>
    <properties stride='1' filename='out'> [step, potential{{electronvolt}}, virial_cv{{megapascal}}] </properties>
    <trajectory stride='1' filename='pos' format='ase'> positions{{ase}} </trajectory>
    <trajectory stride='1' filename='force' format='ase'> forces{{ase}} </trajectory>
  </output>
  <total_steps>3</total_steps>
  <prng><seed>1</seed></prng>
  <ffsocket name='linmlp' mode='unix' pbc='false'><address>{name}</address></ffsocket>
  <system>
    <initialize nbeads='1'>
      <file mode='ase'>start.xyz</file>
      <velocities mode='thermal' units='kelvin'>600</velocities>
    </initialize>
    <forces><force forcefield='linmlp'/></forces>
    <motion mode='dynamics'>
      <dynamics mode='nve'><timestep units='femtosecond'>2</timestep></dynamics>
    </motion>
  </system>
</simulation>
"""


@pytest.fixture
def crystal(tmp_path):
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.05, seed=3)
    write(tmp_path / "start.xyz", atoms)
    return atoms


def test_i_pi(run, tmp_path, model_file, silicon_model, crystal):
    program = shutil.which("i-pi", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("i-PI is not installed (pip install ipi)")
    name = f"linmlp_{uuid.uuid4().hex[:8]}"
    (tmp_path / "input.xml").write_text(INPUT.format(name=name))
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen([program, "input.xml"], stdout=log, stderr=log, cwd=tmp_path)
    try:
        wait_for(Path(actualunixsocketname(name)), server, tmp_path / "log")
        code, _, err = run("serve", model_file, "start.xyz", "--unixsocket", name)
        assert (code, err) == (0, "")
        assert server.wait(60) == 0, (tmp_path / "log").read_text()
    finally:
        server.kill()
    table = np.loadtxt(tmp_path / "run.out")
    steps, energies, virials = table[:, 0], table[:, 1], table[:, 2:]
    frames = read(tmp_path / "run.pos_0.extxyz", ":")
    forces = [atoms.get_forces() for atoms in read(tmp_path / "run.force_0.extxyz", ":")]
    assert steps.tolist() == [0, 1, 2, 3]
    assert np.ptp(energies) > 1e-3  # atoms moved
    # Coordinates are printed with eight decimals.
    np.testing.assert_allclose(energies, silicon_model.predict(frames), atol=1e-6)
    for found, wanted in zip(forces, silicon_model.predict_forces(frames), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    stress = silicon_model.predict_stress(frames)[:, [0, 1, 2, 5, 4, 3]] * EV_PER_A3_IN_GPA
    np.testing.assert_allclose(virials, -1e3 * stress, rtol=1e-4)  # i-PI knows five digits of the unit


def wait_for(path, server, log):
    """Wait until a server listens."""
    for _ in range(600):
        if path.exists():
            return
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    pytest.fail(f"no socket after a minute: {log.read_text()}")


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # ASE leaves it so where nobody listens
def test_bad_input(run, model_file, crystal, tmp_path):
    for options, message in (
        ((), "give either --unixsocket NAME or --port"),
        (("--unixsocket", "x", "--port", "1"), "give either"),
        (("--unixsocket", "nobody_listens"), f"no server at {actualunixsocketname('nobody_listens')}"),
        (("--port", "1"), "no server at localhost:1 "),
    ):
        code, _, err = run("serve", model_file, "start.xyz", *options)
        assert (code, err.count("\n")) == (2, 1)
        assert message in err
    write(tmp_path / "ge.xyz", bulk("Ge"))
    code, _, err = run("serve", model_file, "ge.xyz", "--unixsocket", "nobody_listens")
    assert code == 2
    assert "Ge" in err
    gc.collect()
