"""Loads and stores of vectors in compiled code; names as in `linmlp.descriptors.simd`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from linmlp.descriptors.simd.memory import checked_slice, element_address
from linmlp.descriptors.simd.vectors import VectorType, llvm_type, splat_scalar


def _address(context: Any, builder: Any, kind: Any, memory: Any, index: Any, vector: VectorType) -> Any:
    return builder.bitcast(element_address(context, builder, kind, memory, index), llvm_type(vector).as_pointer())


class VectorOperations(NamedTuple):
    """Memory operations of one width."""

    load: Callable[..., Any]
    store: Callable[..., Any]
    splat: Callable[..., Any]
    spread: Callable[..., Any]
    constant: Callable[..., Any]


def vector_operations(width: int) -> VectorOperations:
    """Return load, store, splat, spread and constant for vectors of `width` numbers, for use in compiled loops."""
    if config.DISABLE_JIT:
        return _checked_operations(width)

    def vector_of(number: Any) -> VectorType:
        if number == types.complex64:
            return VectorType(2 * width, 32)
        return VectorType(width, 32 if number == types.float32 else 64)

    @intrinsic
    def load(typingctx: Any, array: Any, i: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            loaded = builder.load(_address(context, builder, sig.args[0], args[0], args[1], sig.return_type))
            loaded.align = sig.return_type.bits // 8
            return loaded

        return vector_of(array.dtype)(array, types.intp), lower

    @intrinsic
    def store(typingctx: Any, array: Any, i: Any, v: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            stored = builder.store(args[2], _address(context, builder, sig.args[0], args[0], args[1], sig.args[2]))
            stored.align = sig.args[2].bits // 8
            return context.get_dummy_value()

        return (types.void(array, types.intp, v), lower) if v == vector_of(array.dtype) else None

    @intrinsic
    def splat(typingctx: Any, x: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return splat_scalar(builder, args[0], sig.return_type)

        x = types.unliteral(x)
        return vector_of(x)(x), lower

    @intrinsic
    def spread(typingctx: Any, array: Any, i: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            vector, memory = sig.return_type, element_address(context, builder, sig.args[0], args[0], args[1])
            if vector.width == width:
                return splat_scalar(builder, builder.load(memory), vector)
            # A pair of singles is moved as one double.
            both = builder.load(builder.bitcast(memory, ir.DoubleType().as_pointer()))
            both.align = 4
            return builder.bitcast(splat_scalar(builder, both, VectorType(width)), llvm_type(vector))

        return vector_of(array.dtype)(array, types.intp), lower

    @intrinsic
    def constant(typingctx: Any, array: Any, x: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            vector = sig.return_type
            number = args[1] if vector.bits == 64 else builder.fptrunc(args[1], ir.FloatType())
            return splat_scalar(builder, number, vector)

        return vector_of(array.dtype)(array, types.float64), lower

    return VectorOperations(load, store, splat, spread, constant)


def _checked_operations(width: int) -> VectorOperations:
    """Return the same for numpy; a pair of singles becomes two numbers."""

    def numbers(array: Any) -> Any:
        return array.view(np.float32) if array.dtype == np.complex64 else array

    def store(array: Any, i: int, v: Any) -> None:
        target = numbers(checked_slice(array, i, width))
        if v.dtype != target.dtype or v.shape != target.shape:
            raise TypeError(f"{v.shape} of {v.dtype} do not fit into {target.shape} of {target.dtype}")
        target[:] = v

    return VectorOperations(
        load=lambda array, i: numbers(checked_slice(array, i, width)).copy(),
        store=store,
        splat=lambda x: np.full(width, x, dtype=np.float32 if isinstance(x, np.float32) else np.float64),
        spread=lambda array, i: numbers(np.repeat(checked_slice(array, i, 1), width)),
        constant=lambda array, x: np.full_like(numbers(np.empty(width, dtype=array.dtype)), x),
    )
