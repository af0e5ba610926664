"""Compiled loop of the kernel's rows: derivatives of projections in, those of kernel values added to rows."""

from numba import njit

from linmlp.units import FloatArray, IntArray


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def add_slopes(
    projected: FloatArray, along: FloatArray, cosines: FloatArray, slopes: FloatArray, slots: IntArray, rows: IntArray,
    n_axes: int, target: FloatArray,
) -> None:  # fmt: skip
    r"""Add :math:`s_{cv} (\partial p \cdot q_v - \kappa_{cv}\, \partial p \cdot \hat p)` to rows.

    projected (n_slots * n_axes, n_sparse): derivatives of the features on the representatives q; along (n_slots *
    n_axes,): on the center's own unit vector; cosines, slopes (n_centers, n_sparse); slots (n_centers + 1,); rows
    (n_slots,): row n_axes * rows[slot] + axis of target (n_rows, n_sparse) gets that of the slot.
    """
    for c in range(len(slots) - 1):
        for slot in range(slots[c], slots[c + 1]):
            for axis in range(n_axes):
                k, row = n_axes * slot + axis, n_axes * rows[slot] + axis
                own = along[k]
                for v in range(projected.shape[1]):
                    target[row, v] += slopes[c, v] * (projected[k, v] - own * cosines[c, v])
