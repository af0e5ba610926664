"""Vectors of doubles or of single-precision numbers in compiled code; names as in `linmlp.descriptors.simd`."""

import operator
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.datamodel import PrimitiveModel
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

from linmlp.descriptors.simd.memory import checked_slice, element_address

ARITHMETIC = ("contract", "nsz", "reassoc", "arcp")
"""LLVM flags of vector arithmetic: fused multiply-add and reordering are welcome; NaN and infinity stay as they are."""


class VectorType(types.Type):  # type: ignore[misc]  # numba carries no types
    """Numba type of W numbers of 64 or 32 bits."""

    def __init__(self, width: int, bits: int = 64) -> None:
        self.width = width
        self.bits = bits
        super().__init__(name=f"Float{bits}x{width}")

    @property
    def key(self) -> tuple[int, int]:
        """What makes two types equal."""
        return self.width, self.bits

    @property
    def number(self) -> Any:
        """Numba type of one lane."""
        return types.float64 if self.bits == 64 else types.float32


def _llvm_type(vector: VectorType) -> Any:
    return ir.VectorType(ir.DoubleType() if vector.bits == 64 else ir.FloatType(), vector.width)


@register_model(VectorType)
class _VectorModel(PrimitiveModel):  # type: ignore[misc]  # numba carries no types
    def __init__(self, dmm: Any, fe_type: VectorType) -> None:
        super().__init__(dmm, fe_type, _llvm_type(fe_type))


def _splat(builder: Any, scalar: Any, vector: VectorType) -> Any:
    undefined = ir.Constant(_llvm_type(vector), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.width), [0] * vector.width)
    return builder.shuffle_vector(first, undefined, mask)


def _register_binary(python_operator: Callable[..., Any], instruction: str) -> None:
    @infer_global(python_operator)
    class _Template(AbstractTemplate):  # type: ignore[misc]  # numba carries no types
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) != 2:
                return None
            a, b = args
            if isinstance(a, VectorType) and b in (a, a.number):
                return signature(a, a, b)
            if isinstance(b, VectorType) and a == b.number:
                return signature(b, a, b)
            return None

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = sig.return_type
        a, b = (
            value if isinstance(kind, VectorType) else _splat(builder, value, vector)
            for value, kind in zip(args, sig.args, strict=True)
        )
        return getattr(builder, instruction)(a, b, flags=ARITHMETIC)

    for kinds in ((VectorType, VectorType), (types.Float, VectorType), (VectorType, types.Float)):
        lower_builtin(python_operator, *kinds)(lower)


for _operator, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
    (operator.iadd, "fadd"),
    (operator.isub, "fsub"),
    (operator.imul, "fmul"),
):
    _register_binary(_operator, _instruction)


def _address(context: Any, builder: Any, kind: Any, memory: Any, index: Any, vector: VectorType) -> Any:
    return builder.bitcast(element_address(context, builder, kind, memory, index), _llvm_type(vector).as_pointer())


class VectorOperations(NamedTuple):
    """Memory operations of one width."""

    load: Callable[..., Any]
    store: Callable[..., Any]
    splat: Callable[..., Any]


def vector_operations(width: int, bits: Literal[32, 64] = 64) -> VectorOperations:
    """Return load, store and splat for vectors of `width` numbers of 64 or 32 bits, for use in compiled loops."""
    if config.DISABLE_JIT:
        number = np.float64 if bits == 64 else np.float32
        return VectorOperations(
            load=lambda array, i: checked_slice(array, i, width).copy(),
            store=lambda array, i, v: checked_slice(array, i, width).__setitem__(slice(None), v),
            splat=lambda x: np.full(width, x, dtype=number),
        )
    vector = VectorType(width, bits)

    @intrinsic
    def load(typingctx: Any, array: Any, i: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            loaded = builder.load(_address(context, builder, sig.args[0], args[0], args[1], vector))
            loaded.align = bits // 8
            return loaded

        return vector(array, types.intp), lower

    @intrinsic
    def store(typingctx: Any, array: Any, i: Any, v: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            stored = builder.store(args[2], _address(context, builder, sig.args[0], args[0], args[1], vector))
            stored.align = bits // 8
            return context.get_dummy_value()

        return types.void(array, types.intp, v), lower

    @intrinsic
    def splat(typingctx: Any, x: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return _splat(builder, args[0], vector)

        return vector(vector.number), lower

    return VectorOperations(load, store, splat)


def _elementwise(name: str, n_arguments: int) -> Any:
    """Return an intrinsic that calls LLVM's function `name` on 1 or 2 vectors."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = _llvm_type(sig.return_type)
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
            kind = _llvm_type(a)
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
            return builder.fptrunc(args[0], _llvm_type(vector))

        return vector(a), lower

    return narrow


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

else:
    square_root = _elementwise("sqrt", 1)
    minimum = _elementwise("minnum", 2)
    maximum = _elementwise("maxnum", 2)
    total = _total()
    lane = _lane()
    narrow = _narrow()
