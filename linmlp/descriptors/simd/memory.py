"""Single numbers of arrays and pointers in compiled code; names as in `linmlp.descriptors.simd`."""

from typing import Any

from numba import config, types
from numba.extending import intrinsic


def element_address(context: Any, builder: Any, kind: Any, memory: Any, index: Any) -> Any:
    """Return the address of an element of an array or pointer."""
    if not isinstance(kind, types.CPointer):
        memory = context.make_array(kind)(context, builder, memory).data
    return builder.gep(memory, [index])


def checked_slice(array: Any, i: int, width: int) -> Any:
    """Return ``array[i : i + width]``, which must be inside."""
    if not 0 <= i <= len(array) - width:
        raise IndexError(f"lanes {i} to {i + width - 1} of an array of {len(array)} numbers")
    return array[i : i + width]


def _pointer() -> Any:
    @intrinsic
    def pointer(typingctx: Any, array: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return context.make_array(sig.args[0])(context, builder, args[0]).data

        return types.CPointer(array.dtype)(array), lower

    return pointer


def _shifted() -> Any:
    @intrinsic
    def shifted(typingctx: Any, p: Any, i: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.gep(args[0], [args[1]])

        return p(p, types.intp), lower

    return shifted


def _put() -> Any:
    @intrinsic
    def put(typingctx: Any, p: Any, i: Any, x: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            builder.store(args[2], element_address(context, builder, sig.args[0], args[0], args[1]))
            return context.get_dummy_value()

        return types.void(p, types.intp, p.dtype), lower

    return put


def _element() -> Any:
    @intrinsic
    def element(typingctx: Any, array: Any, i: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.load(element_address(context, builder, sig.args[0], args[0], args[1]))

        return array.dtype(array, types.intp), lower

    return element


if config.DISABLE_JIT:

    def element(array: Any, i: int) -> Any:
        """Return one number of a flat array."""
        return checked_slice(array, i, 1)[0]

    def pointer(array: Any) -> Any:
        """Return the array as a row of numbers."""
        return array.reshape(-1)

    def shifted(p: Any, i: int) -> Any:
        """Return what starts at element i."""
        return p[i:]

    def put(p: Any, i: int, x: float) -> None:
        """Write one number."""
        checked_slice(p, i, 1)[0] = x

else:
    element = _element()
    pointer = _pointer()
    shifted = _shifted()
    put = _put()
