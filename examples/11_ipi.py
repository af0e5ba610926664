"""Let i-PI (`pip install ipi`) move the atoms, here four beads of path integrals, with forces over a socket."""

# %% A small potential and a crystal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.calculators.socketio import SocketClient, actualunixsocketname
from ase.io import write

from linmlp import ACE, LinearPotential
from linmlp.datasets import load_silicon

train, _ = load_silicon()
model = LinearPotential(ACE(cutoff=5.0, order=2, max_degree=(10, 8))).fit(train)
atoms = bulk("Si", cubic=True)
write("start.xyz", atoms)

# %% What i-PI is to do; its socket of this name is where linmlp will call
NAME = "linmlp_example"
Path("input.xml").write_text(f"""<simulation verbosity='low'>
  <output prefix='run'>
    <properties filename='out' stride='1'> [step, temperature{{kelvin}}, potential{{electronvolt}}] </properties>
  </output>
  <total_steps>20</total_steps>
  <ffsocket name='linmlp' mode='unix' pbc='false'><address>{NAME}</address></ffsocket>
  <system>
    <initialize nbeads='4'>
      <file mode='ase'>start.xyz</file>
      <velocities mode='thermal' units='kelvin'>300</velocities>
    </initialize>
    <forces><force forcefield='linmlp'/></forces>
    <ensemble><temperature units='kelvin'>300</temperature></ensemble>
    <motion mode='dynamics'>
      <dynamics mode='nvt'>
        <timestep units='femtosecond'>1</timestep>
        <thermostat mode='pile_g'><tau units='femtosecond'>50</tau></thermostat>
      </dynamics>
    </motion>
  </system>
</simulation>
""")

# %% The server waits for clients: this one, or `linmlp serve MODEL start.xyz --unixsocket linmlp_example`
server = subprocess.Popen([Path(sys.executable).with_name("i-pi"), "input.xml"], stdout=subprocess.DEVNULL)
while not Path(actualunixsocketname(NAME)).exists() and server.poll() is None:
    time.sleep(0.1)
atoms.calc = model.calculator()
SocketClient(unixsocket=NAME).run(atoms, use_stress=True)
server.wait()

# %%
step, temperature, potential = np.loadtxt("run.out").T
print(f"{step[-1]:.0f} steps, {potential[-1]:.3f} eV per bead at the end, mean temperature {temperature.mean():.0f} K")
