"""Linear combinations of channels as flat lists for the loops: rows in, blocks of four rows out."""

from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from linmlp.units import FloatArray, IntArray

ROWS = 4
"""Rows of a linear combination that are computed together."""


class Combinations(NamedTuple):
    """Linear combinations of channels, for all columns of a channel at once: a sparse matrix in blocks of four rows."""

    first_block: IntArray  # (n_elements + 1,) blocks of each central element
    l: IntArray  # (n_blocks,)
    target: IntArray  # (n_blocks * 4,) offset of the first column
    first_term: IntArray  # (n_blocks + 1,)
    source: IntArray  # (n_terms,) offset of the first column
    coefficient: FloatArray  # (n_terms * 4,)


Value = TypeVar("Value")

Row: TypeAlias = tuple[tuple[int, ...], int, int, dict[int, Value]]
"""(what rows of a block have in common, l, target, value by source)"""


def join_rows(
    centers: list[list[Row[Value]]], sizes: list[int], lanes: int, nothing: Value
) -> tuple[Combinations, list[Value]]:
    """Return rows in blocks, coefficients zero.

    Parameters
    ----------
    centers : list of list of Row
        Rows for each central element, offsets in columns.
    sizes : list of int
        Number of columns of the targets of each central element; the channel after the last fills blocks up.
    lanes : int
        Doubles per column.
    nothing : object
        Value where a row has none.

    Returns
    -------
    rows : Combinations
        Flat lists.
    values : list
        Value of each coefficient.
    """
    first_block, l, target, first_term, source = [0], [], [], [0], []
    values: list[Value] = []
    for rows, filler in zip(centers, sizes, strict=True):
        for key in sorted({row[0] for row in rows}):
            of_key = [row for row in rows if row[0] == key]
            for start in range(0, len(of_key), ROWS):
                block = of_key[start : start + ROWS]
                empty = ROWS - len(block)
                l.append(block[0][1])
                target += [row[2] for row in block] + [filler] * empty
                union = sorted({k for row in block for k in row[3]})
                source += union
                for k in union:
                    values += [row[3].get(k, nothing) for row in block] + [nothing] * empty
                first_term.append(len(source))
        first_block.append(len(l))
    joined = Combinations(
        np.array(first_block, dtype=np.int64),
        np.array(l, dtype=np.int64),
        np.array(target, dtype=np.int64) * lanes,
        np.array(first_term, dtype=np.int64),
        np.array(source, dtype=np.int64) * lanes,
        np.zeros(len(values)),
    )
    return joined, values
