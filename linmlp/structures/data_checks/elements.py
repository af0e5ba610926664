"""Elements that hardly occur, and elements of the test set that were never trained."""

from ase.data import chemical_symbols

from linmlp.structures.data_checks.contract import DataSet, Finding

ENOUGH = 20
"""From this many training structures on, an element in one or two of them is strange."""

RARE = 2
"""Structures: fewer cannot be told from a wrong atomic number, and fit their own reference energy whatever it is."""


def check_elements(data: DataSet) -> list[Finding]:
    """Return elements in very few training structures, and elements that are in the test set alone."""
    places: dict[int, list[int]] = {}
    for index, labels in enumerate(data.labels):
        for number in sorted(set(labels.numbers.tolist())):
            places.setdefault(number, []).append(index)
    found = []
    for number, where in sorted(places.items()):
        symbol = chemical_symbols[number]
        trained = [i for i in where if i < data.n_train]
        if not trained:
            seen, advice = f"{symbol} is in the test set alone", "correct the element, or train on structures with it"
            found.append(data.finding("error", "elements", where, seen, "elements of the training set", advice))
        elif data.n_train >= ENOUGH and len(trained) <= RARE:
            seen = f"{symbol} is in {len(trained)} of {data.n_train} training structures"
            advice = "correct the element, remove the structure, or add more structures with it"
            wanted = f"an element in more than {RARE} structures"
            severity = "error" if len(trained) == 1 else "warning"
            found.append(data.finding(severity, "elements", trained, seen, wanted, advice))
    return found
