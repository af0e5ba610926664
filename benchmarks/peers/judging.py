"""Rows of a set in: what holds of them, in sentences."""

BARS = {"pypolymlp": 5.0, "ML-PACE": 10.0, "SNAP": 20.0, "GAP": 100.0}
"""How many times faster linmlp should be at the accuracy of a code."""


NOTHING_CHOSEN = "balanced, nothing chosen"
"""Our fit that chooses as little as pypolymlp's default."""

SAME = 1 + 1e-6
"""Errors that differ by less are those of the same potential."""


def own_rows(rows, is_single=False):
    """Return the rows of linmlp in double precision, as all other codes compute, or in single."""
    own = [row for row in rows.values() if row["code"] == "linmlp"]
    return [row for row in own if row["setting"].endswith(", single") == is_single]


def force_mae(row):
    return row["errors"]["force_mae"]


def cost(row):
    """Return the time of a step, µs per atom, at the speed that the machine had for the reference of all rows."""
    return row["cost"]


def number(value):
    """Return three digits of a number, without an exponent for large ones."""
    return f"{value:.3g}" if value < 1000 else f"{float(f'{value:.3g}'):.0f}"


def with_costs(rows):
    """Return rows with "cost": their ratio to the reference, times the median time of the reference over all rows."""
    times = sorted(row["reference_step"] for row in rows.values())
    median = times[len(times) // 2]
    return {label: row | {"cost": row["ratio"] * median} for label, row in rows.items()}


def cheapest_as_good(row, own):
    """Return our cheapest row whose force MAE is at most that of a row, or None."""
    as_good = [mine for mine in own if force_mae(mine) <= SAME * force_mae(row)]
    return min(as_good, key=cost, default=None)


def is_below(row, own):
    """Return whether a row lies below our curve: none of ours is as fast and as accurate."""
    return not any(force_mae(mine) <= SAME * force_mae(row) and cost(mine) <= cost(row) for mine in own)


def with_single(row, rows):
    """Return how many times faster ours in single precision is, as part of a sentence."""
    mine = cheapest_as_good(row, own_rows(rows, is_single=True))
    return "" if mine is None else f" ({mine['setting']} precision: {cost(row) / cost(mine):.1f} times)"


def fit_sentence(name, mine, other):
    """Return how long fits take, from files to a model."""
    return (
        f"fit from files to model, CPU seconds with (without) imports: pypolymlp default "
        f"{other['processor_seconds']:.1f} ({other['seconds_without_imports']:.1f}), linmlp {name} "
        f"{mine['processor_seconds']:.1f} ({mine['seconds_without_imports']:.1f}); pypolymlp takes "
        f"{other['processor_seconds'] / mine['processor_seconds']:.2f} "
        f"({other['seconds_without_imports'] / mine['seconds_without_imports']:.2f}) times as long"
    )


def sentences(rows):
    """Return how many times faster ours is at the accuracy of each row, which bars hold, and the ratio of fits."""
    own, lines = own_rows(rows), []
    others = [row for row in rows.values() if row["code"] != "linmlp"]
    speedups, not_reached = {}, {}
    for row in others:
        mine, label = cheapest_as_good(row, own), f"{row['code']} {row['setting']}"
        if row["code"] == "ML-PACE":  # the same potential
            name = row["setting"].removeprefix("of linmlp ")
            mine = rows.get(f"linmlp {name}", mine)
        if mine is None:
            lines.append(f"{label}: force MAE {force_mae(row):.4f} eV/Å, which none of ours reaches")
            not_reached.setdefault(row["code"], label)
            continue
        factor = cost(row) / cost(mine)
        speedups.setdefault(row["code"], {})[row["setting"]] = factor
        lines.append(
            f"{label}: force MAE {force_mae(row):.4f} eV/Å at {number(cost(row))} µs/atom; "
            f"linmlp {mine['setting']} has {force_mae(mine):.4f} at {cost(mine):.3g}: "
            f"{factor:.1f} times faster{with_single(row, rows)}"
        )
    for code, bar in BARS.items():
        if code in not_reached:
            lines.append(f"bar of {bar:g} times against {code}: DOES NOT HOLD ({not_reached[code]} is not reached)")
        elif code in speedups:
            name, least = min(speedups[code].items(), key=lambda item: item[1])
            verdict = "holds" if least >= bar else "DOES NOT HOLD"
            lines.append(f"bar of {bar:g} times against {code}: {verdict} (least {least:.1f}, {name})")
    below = [f"{row['code']} {row['setting']}" for row in others if is_below(row, own)]
    lines.append(f"below our curve: {', '.join(below) if below else 'no other code'}")
    theirs = rows.get("pypolymlp default")
    ours = {name: rows.get(f"linmlp {name}") for name in ("default", "balanced", NOTHING_CHOSEN)}
    return lines + [fit_sentence(name, row["fit"], theirs["fit"]) for name, row in ours.items() if row and theirs]
