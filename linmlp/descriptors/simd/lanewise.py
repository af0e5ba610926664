"""Functions of vectors in compiled code; names as in `linmlp.descriptors.simd`."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from linmlp.descriptors.simd.vectors import VectorType, llvm_type


def _elementwise(name: str, n_arguments: int) -> Any:
    """Return an intrinsic that calls LLVM's function `name` on 1 or 2 vectors."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = llvm_type(sig.return_type)
        function_type = ir.FunctionType(kind, [kind] * n_arguments)
        suffix = f"v{sig.return_type.width}f{sig.return_type.bits}"
        callee = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.{name}.{suffix}")
        return builder.call(callee, args)

    if n_arguments == 1:

        @intrinsic
        def unary(typingctx: Any, a: Any) -> Any:
            return a(a), lower

        return unary

    @intrinsic
    def binary(typingctx: Any, a: Any, b: Any) -> Any:
        return a(a, b), lower

    return binary


def _total() -> Any:
    @intrinsic
    def total(typingctx: Any, a: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            kind = llvm_type(a)
            function_type = ir.FunctionType(kind.element, [kind.element, kind])
            callee = cgutils.get_or_insert_function(
                builder.module, function_type, f"llvm.vector.reduce.fadd.v{a.width}f{a.bits}"
            )
            return builder.call(callee, [ir.Constant(kind.element, 0.0), args[0]], fastmath=("reassoc",))

        return a.number(a), lower

    return total


def _lane() -> Any:
    @intrinsic
    def lane(typingctx: Any, a: Any, k: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.extract_element(args[0], args[1])

        return a.number(a, types.intp), lower

    return lane


def _narrow() -> Any:
    @intrinsic
    def narrow(typingctx: Any, a: Any) -> Any:
        vector = VectorType(a.width, 32)

        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.fptrunc(args[0], llvm_type(vector))

        return vector(a), lower

    return narrow


def _doubled() -> Any:
    @intrinsic
    def doubled(typingctx: Any, a: Any) -> Any:
        vector = VectorType(2 * a.width, 32)

        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            single = builder.fptrunc(args[0], llvm_type(VectorType(a.width, 32)))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.width), [k // 2 for k in range(vector.width)])
            return builder.shuffle_vector(single, single, mask)

        return vector(a), lower

    return doubled


def _of_pairs(which: int) -> Any:
    @intrinsic
    def of_pairs(typingctx: Any, a: Any) -> Any:
        vector = VectorType(a.width // 2)

        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            places = list(range(which, a.width, 2))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.width), places)
            return builder.fpext(builder.shuffle_vector(args[0], args[0], mask), llvm_type(vector))

        return vector(a), lower

    return of_pairs


def _joined() -> Any:
    @intrinsic
    def joined(typingctx: Any, a: Any, b: Any) -> Any:
        vector = VectorType(2 * a.width, 32)

        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            first, second = (builder.fptrunc(v, llvm_type(VectorType(a.width, 32))) for v in args)
            mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.width), list(range(vector.width)))
            return builder.shuffle_vector(first, second, mask)

        return vector(a, a), lower

    return joined


def _half(which: int) -> Any:
    @intrinsic
    def half(typingctx: Any, a: Any) -> Any:
        vector = VectorType(a.width // 2)

        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            places = list(range(which * vector.width, (which + 1) * vector.width))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.width), places)
            return builder.fpext(builder.shuffle_vector(args[0], args[0], mask), llvm_type(vector))

        return vector(a), lower

    return half


def shuffle(indices: tuple[int, ...]) -> Any:
    """Return an intrinsic f(a, b) that picks lanes `indices` of the two vectors laid end to end."""
    if config.DISABLE_JIT:
        return lambda a, b: np.concatenate([a, b])[list(indices)]

    @intrinsic
    def shuffled(typingctx: Any, a: Any, b: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), list(indices))
            return builder.shuffle_vector(args[0], args[1], mask)

        return VectorType(len(indices), a.bits)(a, b), lower

    return shuffled


if config.DISABLE_JIT:
    square_root, minimum, maximum = np.sqrt, np.minimum, np.maximum

    def total(v: Any) -> float:
        """Return the sum over lanes."""
        return float(np.sum(v))

    def lane(v: Any, k: int) -> float:
        """Return one lane."""
        return float(v[k])

    def narrow(v: Any) -> Any:
        """Return the vector in single precision."""
        return v.astype(np.float32)

    def doubled(v: Any) -> Any:
        """Return every number twice, in single precision."""
        return np.repeat(v.astype(np.float32), 2)

    def first_of_pairs(v: Any) -> Any:
        """Return every other number in double precision, the first of all included."""
        return v[0::2].astype(float)

    def second_of_pairs(v: Any) -> Any:
        """Return the others."""
        return v[1::2].astype(float)

    def joined(a: Any, b: Any) -> Any:
        """Return both vectors in one, in single precision."""
        return np.concatenate([a, b]).astype(np.float32)

    def first_half(v: Any) -> Any:
        """Return the lanes of the first half in double precision."""
        return v[: len(v) // 2].astype(float)

    def second_half(v: Any) -> Any:
        """Return those of the second half."""
        return v[len(v) // 2 :].astype(float)

else:
    square_root = _elementwise("sqrt", 1)
    minimum = _elementwise("minnum", 2)
    maximum = _elementwise("maxnum", 2)
    total = _total()
    lane = _lane()
    narrow = _narrow()
    doubled = _doubled()
    first_of_pairs, second_of_pairs = _of_pairs(0), _of_pairs(1)
    joined = _joined()
    first_half, second_half = _half(0), _half(1)
