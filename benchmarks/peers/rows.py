"""Cost of values and position gradients of descriptors: ours, featomic, dscribe. There is no fit in those.

Processor time per atom; featomic and dscribe on fewer structures, since they take long.
"""

import importlib.util
import time

from benchmarks.peers.data import read_part

CUTOFF, N_MAX, L_MAX, SIGMA = 5.0, 8, 6, 0.5


def seconds_of(call, repeats):
    """Return the least processor time of a call, after one that compiles."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def own_rows(descriptor, frames):
    """Return what writes energy, force and stress rows of structures."""

    def write():
        for atoms in frames:
            descriptor.write_rows(descriptor.pairs(atoms), *descriptor.allocate_rows(len(atoms)))

    return write


def featomic_rows(frames, n_max, l_max):
    from featomic import SoapPowerSpectrum

    soap = SoapPowerSpectrum(
        cutoff={"radius": CUTOFF, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
        density={"type": "Gaussian", "width": SIGMA},
        basis={"type": "TensorProduct", "max_angular": l_max, "radial": {"type": "Gto", "max_radial": n_max - 1}},
    )
    return lambda: [soap.compute(atoms, gradients=["positions"]) for atoms in frames]


def dscribe_rows(frames, n_max, l_max):
    """Its derivatives are analytic for structures that are not periodic only: the same atoms without their images."""
    from dscribe.descriptors import SOAP

    symbols = [str(frames[0].symbols[0])]
    soap = SOAP(species=symbols, r_cut=CUTOFF, n_max=n_max, l_max=l_max, sigma=SIGMA, periodic=False)
    return lambda: [soap.derivatives(atoms, method="analytical") for atoms in frames]


def compare_rows(folder, tiny):
    """Print one line per code."""
    from linmlp import ACE, SOAP

    n_max, l_max = (3, 2) if tiny else (N_MAX, L_MAX)
    train = read_part(folder, "train")
    frames = train[:: max(len(train) // 40, 1)][: 2 if tiny else 40]
    clusters = [atoms.copy() for atoms in frames[: max(len(frames) // 20, 1)]]
    for atoms in clusters:
        atoms.pbc = False
    soap = SOAP(CUTOFF, n_max, l_max, SIGMA).fit(train)
    ace = ACE(CUTOFF, max_degree=(4, 3, 2)).fit(train) if tiny else ACE(CUTOFF).fit(train)
    few = frames[: max(len(frames) // 10, 1)]
    kinds = [
        (
            f"linmlp ACE, {ace.n_features_out_} functions, energy, force and stress rows",
            None,
            own_rows(ace, frames),
            frames,
        ),
        (f"linmlp SOAP, {soap.n_features_out_} functions", None, own_rows(soap, frames), frames),
        ("featomic SOAP", "featomic", featomic_rows, few),
        (f"linmlp SOAP, {len(clusters)} clusters", None, own_rows(soap, clusters), clusters),
        ("dscribe SOAP, the same clusters", "dscribe", dscribe_rows, clusters),
    ]
    print(f"\nvalues and gradients, n_max {n_max}, l_max {l_max}, {CUTOFF} Å: processor time, µs per atom")
    for label, package, make, used in kinds:
        if package is not None and importlib.util.find_spec(package) is None:
            print(f"   {package} is left out: not installed")
            continue
        call = make if package is None else make(used, n_max, l_max)
        seconds = seconds_of(call, 1 if package == "dscribe" else 3)
        print(f"   {label:70s} {1e6 * seconds / sum(map(len, used)):9.1f}")
