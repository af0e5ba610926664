"""Rows of a set in: a table for the terminal and one in markdown."""

from benchmarks.peers.judging import cost, force_mae, number

HEAD = ("potential", "parameters", "energy MAE, meV/atom", "force MAE, eV/Å", "force RMSE, eV/Å", "step, µs/atom",
        "times balanced", "fit, CPU s")  # fmt: skip


def interval(row, name, digits):
    """Return an error with its 95 % bootstrap interval."""
    value, bounds = row["errors"][name], row["intervals"].get(name)
    if value is None:
        return "-"
    return f"{value:.{digits}f}" + (f" ({bounds[0]:.{digits}f}-{bounds[1]:.{digits}f})" if bounds else "")


def fit_seconds(row):
    """Return processor seconds with imports and without, or a dash where nothing was fitted."""
    if row["is_published"] or row["code"] == "ML-PACE":
        return "-"
    fit = row["fit"]
    return f"{fit['processor_seconds']:.0f} ({fit['seconds_without_imports']:.0f})" + ("*" if row["note"] else "")


def cells(row):
    return (
        f"{row['code']} {row['setting']}",
        str(row["n_parameters"]),
        interval(row, "energy_mae", 2),
        interval(row, "force_mae", 4),
        f"{row['errors']['force_rmse']:.4f}",
        number(cost(row)),
        f"{row['ratio']:.3g}",
        fit_seconds(row),
    )


def sorted_rows(rows):
    """Return rows by code, in order of appearance, and by force MAE within, largest first."""
    codes = list(dict.fromkeys(row["code"] for row in rows.values()))
    return sorted(rows.values(), key=lambda row: (codes.index(row["code"]), -force_mae(row)))


def as_text(rows):
    lines = [HEAD, *map(cells, sorted_rows(rows))]
    widths = [max(len(line[k]) for line in lines) for k in range(len(HEAD))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]).rstrip()
        for line in lines
    )


def as_markdown(rows):
    """Return the table for a README: single precision is named with the step of its double."""
    singles = {label.removesuffix(", single"): row for label, row in rows.items() if label.endswith(", single")}
    lines = ["| " + " | ".join(HEAD) + " |", "|---" + "|---:" * (len(HEAD) - 1) + "|"]
    for row in sorted_rows(rows):
        own = list(cells(row))
        if own[0].endswith(", single"):
            continue
        if own[0] in singles:
            single = singles[own[0]]
            own[5], own[6] = f"{own[5]} (single {cost(single):.3g})", f"{own[6]} ({single['ratio']:.3g})"
        lines.append("| " + " | ".join(own) + " |")
    return "\n".join(lines)


def as_compact(sets):
    """Return one markdown table of several sets, {name: rows}: energy MAE, force MAE, step, and times balanced."""
    labels = list(dict.fromkeys(label for rows in sets.values() for label in rows if not label.endswith(", single")))
    lines = ["| potential | " + " | ".join(f"{name}: meV/atom, eV/Å, µs/atom (times balanced)" for name in sets) + " |"]
    lines.append("|---" * (1 + len(sets)) + "|")
    for label in labels:
        found = [rows.get(label) for rows in sets.values()]
        parts = [
            ""
            if row is None
            else f"{row['errors']['energy_mae']:.2f}, {force_mae(row):.4f}, {number(cost(row))} ({row['ratio']:.3g})"
            for row in found
        ]
        lines.append(f"| {label} | " + " | ".join(parts) + " |")
    return "\n".join(lines)
