"""Groups of functions: which entries the derivative of a function has, for neighbors of every element."""

from typing import Any, NamedTuple

import numpy as np

from linmlp.descriptors.ace.basis import ANY, MIXED, Channel, Function, has_neighbors, is_mixed
from linmlp.descriptors.ace.parameters import AceParameters
from linmlp.descriptors.ace.row_couplings import Rests
from linmlp.descriptors.ace.row_layout import GROUP, MAX_ENTRIES, QUAD, WIDTH, RowCounts, integers
from linmlp.descriptors.ace.row_rests import entries_of
from linmlp.units import FloatArray, IntArray


class RadialPlaces(NamedTuple):
    """Radial rows without their maps: `radial_key` to row, and numbers of rows."""

    rows: dict[Channel, int]
    n_radial: int
    n_pair: int


class Radial(NamedTuple):
    """Radial rows: `radial_key` to row, numbers of rows, maps from the raw functions, and where the maps end."""

    rows: dict[Channel, int]
    n_radial: int
    n_pair: int
    map: FloatArray
    end: IntArray


def radial_key(channel: Channel) -> Channel:
    """Return what says which radial row a channel has: n and l, and the density of one that is mixed."""
    return channel if is_mixed(channel) else (ANY, *channel[1:])


def radial_rows(parameters: AceParameters, channels: list[Channel]) -> Radial:
    """Return the radial rows: one per n where the map is the same for all l, else one per (n, l).

    Channels that are mixed have rows of their own, in which neighbors of an element weigh as much as in the mixture.
    """
    used = parameters.radial_map
    pair = parameters.pair_map
    keys = sorted(set(map(radial_key, channels)))
    if np.all(used == used[:, :, :1]):
        chosen = sorted({(density, n, 0) for density, largest, _ in keys for n in range(largest + 1)})
        place = {key: k for k, key in enumerate(chosen)}
        rows = {(density, n, l): place[density, n, 0] for density, n, l in keys}
    else:
        rows = {key: k for k, key in enumerate(keys)}
        chosen = keys
    n_pair, n_elements = pair.shape[2], len(parameters.numbers)
    n_raw = max(used.shape[-1] if chosen else 0, pair.shape[-1], 1)
    table = np.zeros((n_elements, n_elements, len(chosen) + n_pair, n_raw))
    for k, (density, n, l) in enumerate(chosen):
        weight = np.ones((1, 1, 1))
        if parameters.mixing is not None and density != ANY:
            weight = parameters.mixing[:, density - MIXED, :, None]
        table[:, :, k, : used.shape[-1]] = weight * used[:, :, l, n]
    table[:, :, len(chosen) :, : pair.shape[-1]] = pair
    present = np.any(table != 0, axis=(0, 1))
    end = np.where(present.any(axis=-1), n_raw - np.argmax(present[:, ::-1], axis=-1), 0)
    return Radial(rows, len(chosen), n_pair, table, integers(end))


def group_functions(
    functions: tuple[Function, ...], n_elements: int, rests: Rests, radial: RadialPlaces
) -> tuple[IntArray, dict[str, Any], RowCounts]:
    """Return the inner order, the lists of groups per element of the neighbor, and counts."""
    taken = [entries_of(function) for function in functions]

    def composition(v: int) -> tuple[bool, tuple[int, ...], int]:
        channels = [c for c, _ in taken[v]] or list(functions[v])
        counts = [sum(has_neighbors(c, e) for c in channels) for e in range(n_elements)]
        return len(functions[v]) > 1, tuple(-count for count in counts), v

    inside = sorted(range(len(functions)), key=composition)
    order = np.empty(len(functions), dtype=np.int64)
    order[inside] = np.arange(len(functions))
    nothing = (3 * WIDTH * rests.n_rests, 2 * WIDTH * (radial.n_radial + radial.n_pair))

    def places_of(v: int, element: int) -> list[tuple[int, int]]:
        if len(functions[v]) == 1:
            of_element = [n for e, n, l in functions[v] if has_neighbors((e, n, l), element)]
            return [(3 * WIDTH * (rests.n_rests + 1), 2 * WIDTH * (radial.n_radial + n)) for n in of_element]
        of_rests = [(c, rest) for c, rest in taken[v] if has_neighbors(c, element)]
        return [(3 * WIDTH * rests.place[rest], 2 * WIDTH * radial.rows[radial_key(c)]) for c, rest in of_rests]

    group_first, columns, entry_first, entries = [], list[int](), list[int](), list[int]()
    n_entries, n_active = [], []
    for element in range(n_elements):
        lists: list[list[tuple[int, list[list[tuple[int, int]]]]]] = [[] for _ in range(MAX_ENTRIES + 1)]
        own = [places_of(v, element) for v in inside]
        n_entries.append(sum(len(e) for e, v in zip(own, inside, strict=True) if len(functions[v]) > 1))
        n_active.append(sum(1 for e in own if e))
        for start in range(0, len(inside), GROUP):
            members = own[start : start + GROUP] + [[]] * max(0, start + GROUP - len(inside))
            kind = max(map(len, members))
            only_pair = all(len(functions[v]) == 1 for v in inside[start : start + GROUP])
            if kind:
                lists[0 if only_pair else kind].append((start, members))
        first = [len(columns)]
        for kind, of_kind in enumerate(lists):
            for start, members in of_kind:
                columns.append(start)
                entry_first.append(len(entries))
                for member in members:
                    padded = member + [nothing] * (max(kind, 1) - len(member))
                    entries.extend(number for entry in padded for number in entry)
            first.append(len(columns))
        group_first.append(first)
    arrays = {
        "group_first": integers(group_first),
        "group_column": integers(columns),
        "entry_first": integers(entry_first),
        "entries": integers(entries),
    }
    counts = RowCounts(tuple(key[0] for key in rests.keys), tuple(n_entries), tuple(n_active))
    return order, arrays, counts


def adjoints(
    functions: tuple[Function, ...],
    n_elements: int,
    max_l: int,
    channels: list[Channel],
    rests: Rests,
    radial: RadialPlaces,
) -> dict[str, Any]:
    """Return the quads of channels, and which Q of a function belongs to the adjoint of which channel."""
    quad_first, slots, rows, place, n_slots = [], list[int](), list[int](), dict[tuple[int, Channel], int](), 0
    for element in range(n_elements):
        first = [len(slots)]
        for l in range(max_l + 1):
            for k, channel in enumerate(c for c in channels if has_neighbors(c, element) and c[2] == l):
                if k % QUAD == 0:
                    slots.append(n_slots)
                    rows.extend([2 * WIDTH * (radial.n_radial + radial.n_pair)] * QUAD)
                    n_slots += QUAD * (2 * l + 1)
                place[element, channel] = slots[-1] + k % QUAD
                rows[QUAD * (len(slots) - 1) + k % QUAD] = 2 * WIDTH * radial.rows[radial_key(channel)]
            first.append(len(slots))
        quad_first.append(first)
    entries, entry_first = list[tuple[int, int, int]](), [0]
    for function in functions:
        if len(function) == 1:
            ((element, n, _),) = function
            entries.append((-1, element * radial.n_pair + n, 0))
        else:
            entries.extend(
                (rests.slot(rest), place[element, c], c[2])
                for c, rest in entries_of(function)
                for element in range(n_elements)
                if has_neighbors(c, element)
            )
        entry_first.append(len(entries))
    return {
        "n_channel_slots": n_slots,
        "channel_quad_first": integers(quad_first),
        "channel_quad_slot": integers(slots),
        "channel_quad_row": integers(rows),
        "adjoint_first": integers(entry_first),
        "adjoint_entries": integers(entries).reshape(-1),
    }
