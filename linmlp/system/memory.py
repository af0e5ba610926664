"""Memory and work of an assembly, predicted before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from linmlp.system.packing import packed_length

QR_FLOPS = 1e11
"""Folding to the QR form is chosen while it costs less than this, some three seconds of one core."""


@dataclass(frozen=True)
class AssemblyPlan:
    """Sizes of an assembly, in bytes.

    Parameters
    ----------
    form : {"gram", "qr"}
        Form that rows are folded to.
    n_rows : int
        Rows of the design matrix that is never made.
    n_features : int
        Its columns.
    n_blocks : int
        Blocks of structures.
    systems : int
        Bytes of the folded force and stress rows of all folds.
    energy_rows : int
        Bytes of the energy rows.
    workspace : int
        Bytes of the rows of the blocks that are worked on at a time, and what folding them takes.
    energy_on_disk : bool
        Whether the energy rows go to a temporary file.
    """

    form: str
    n_rows: int
    n_features: int
    n_blocks: int
    systems: int
    energy_rows: int
    workspace: int
    energy_on_disk: bool = False

    @property
    def total(self) -> int:
        """Bytes of memory at the peak."""
        return self.systems + self.workspace + (0 if self.energy_on_disk else self.energy_rows)

    @property
    def design_matrix(self) -> int:
        """Bytes that all rows would take."""
        return 8 * self.n_rows * self.n_features

    def __str__(self) -> str:
        where = " on disk" if self.energy_on_disk else ""
        return (
            f"{self.n_rows} rows x {self.n_features} features, {self.form} form in {self.n_blocks} blocks: "
            f"{_size(self.total)} (systems {_size(self.systems)}, energy rows {_size(self.energy_rows)}{where}, "
            f"workspace {_size(self.workspace)}) instead of {_size(self.design_matrix)}"
        )


def choose_form(n_rows: int, n_features: int) -> str:
    """Return the form that form="auto" means.

    Parameters
    ----------
    n_rows : int
        Force and stress rows.
    n_features : int
        Number of features.

    Returns
    -------
    str
        "qr" while ``2 n_rows n_features²`` operations are less than 1e11, else "gram".
    """
    return "qr" if 2.0 * n_rows * n_features**2 < QR_FLOPS else "gram"


def default_block_rows(n_features: int, form: str) -> int:
    """Return the number of rows of a block: enough that merging costs little beside folding.

    Parameters
    ----------
    n_features : int
        Number of features.
    form : {"gram", "qr"}
        Form to fold to.

    Returns
    -------
    int
        Rows.
    """
    return max(2048, (2 if form == "qr" else 1) * n_features + 1)


def system_bytes(n_rows: int, n_features: int) -> int:
    """Return the bytes of a system at rest.

    Parameters
    ----------
    n_rows : int
        Rows folded into it.
    n_features : int
        Number of features.

    Returns
    -------
    int
        Plain rows while they are not more than the features, else a packed triangle.
    """
    return 8 * (n_rows * (n_features + 1) if n_rows <= n_features else packed_length(n_features + 1))


def workspace_bytes(largest_block: int, n_features: int, form: str, n_jobs: int) -> int:
    """Return the bytes of blocks that are worked on at a time.

    Parameters
    ----------
    largest_block : int
        Rows of the largest block.
    n_features : int
        Number of features.
    form : {"gram", "qr"}
        Form to fold to.
    n_jobs : int
        Blocks at a time.

    Returns
    -------
    int
        Rows (three times for QR: the rows, with their targets, and LAPACK's own copy), the full square and the
        packed triangles that wait to be merged.
    """
    rows = largest_block * (n_features + 8) * (3 if form == "qr" else 1)
    return 8 * n_jobs * (rows + n_features**2 + 4 * packed_length(n_features + 1))


def _size(n_bytes: int) -> str:
    """Return a number of bytes as text."""
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
