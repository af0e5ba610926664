"""Rows of a set in: force MAE over the time of a step, as a small picture."""

from benchmarks.peers.judging import cost, force_mae, own_rows

MARKERS = {"pypolymlp": "s", "ML-PACE": "^", "ace-jax": "D", "SNAP": "v", "POD": "P", "UF3": "X", "GAP": "*"}
COLORS = {"pypolymlp": "#d95f02", "ML-PACE": "#7570b3", "ace-jax": "#e7298a", "SNAP": "#66a61e", "POD": "#a6761d",
          "UF3": "#1f78b4", "GAP": "#666666"}  # fmt: skip
LABELS = {"ML-PACE": "ML-PACE, potentials of linmlp"}


def front(rows):
    """Return the rows that no other of them beats, by cost."""
    found = []
    for row in sorted(rows, key=lambda row: (cost(row), force_mae(row))):
        if not found or force_mae(row) < force_mae(found[-1]):
            found.append(row)
    return found


def annotate(axes, row, text, color, offset=(4, 3), side="left"):
    place = {"textcoords": "offset points", "xytext": offset, "fontsize": 6, "ha": side}
    axes.annotate(text, (cost(row), force_mae(row)), color=color, **place)


def draw(rows, path, title):
    """Write the picture: ours as lines of double and single precision, others as points with their settings."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.2, 4.4), constrained_layout=True)
    for is_single, style, name in ((False, "o-", "linmlp"), (True, "o--", "linmlp, single precision")):
        line = front(own_rows(rows, is_single))
        if line:
            for row in [] if is_single else line:
                annotate(axes, row, row["setting"], "black", (-4, -8), "right")
            face = "white" if is_single else "black"
            axes.plot(
                [cost(r) for r in line], [force_mae(r) for r in line], style, color="black", ms=4, mfc=face, label=name
            )
    for code in dict.fromkeys(row["code"] for row in rows.values() if row["code"] != "linmlp"):
        points = [row for row in rows.values() if row["code"] == code]
        axes.plot([cost(r) for r in points], [force_mae(r) for r in points], ls="none", marker=MARKERS.get(code, "o"),
                  color=COLORS.get(code), ms=6, label=LABELS.get(code, code))  # fmt: skip
        for row in points:
            if code != "ML-PACE":  # its points have the height of ours
                annotate(axes, row, row["setting"], COLORS.get(code))
    axes.set(xscale="log", yscale="log", xlabel="energy, forces and virial, µs per atom and step, one thread",
             ylabel="force MAE of test structures, eV/Å", title=title)  # fmt: skip
    left, right = axes.get_xlim()
    axes.set_xlim(0.8 * left, 1.7 * right)  # room for names
    axes.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%.3g"))
    axes.yaxis.set_minor_formatter(mpl.ticker.FormatStrFormatter("%.2g"))
    axes.tick_params(axis="y", which="minor", labelsize=7)
    axes.legend(fontsize=7, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
