"""Explicit SIMD vectors for Numba: a value type that LLVM sees as ``<W x double>``.

Plain Numba loops over lanes store and reload their accumulators, because local arrays are heap memory that may alias;
vector *values* stay in registers, which makes the loops three to nine times faster. In compiled code

    load(array, i)         W numbers array[i : i + W] of a flat C-contiguous array, no bounds check, any alignment
    store(array, i, v)     the other way
    splat(x)               the same number in every lane
    + - * /                lane by lane; with a float on either side it is splat first
    lane(v, k), total(v)   one lane; the sum over lanes
    minimum, maximum, square_root

and for single numbers

    element(array, i)      one number of a flat array, no bounds check, i >= 0: plain indexing spends four instructions
                           on negative indices, which hurts where indices are read from a table
    put(array, i, x)       the other way
    pointer(array)         the memory of a C-contiguous array, which must outlive it; can be used where a flat array
                           could, and spares the reference counts and the many arguments that are an array
    shifted(p, i)          what starts at element i of a pointer

With ``NUMBA_DISABLE_JIT=1`` the same names work on numpy slices, which are bounds-checked: that is how the loops are
tested against overruns. ``vector_operations(width)`` makes load, store and splat for a width.
"""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import config, types
from numba.core import cgutils
from numba.core.datamodel import PrimitiveModel
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

ARITHMETIC = ("contract", "nsz", "reassoc", "arcp")
"""LLVM flags of vector arithmetic: fused multiply-add and reordering are welcome; NaN and infinity stay as they are."""


def _preferred_lanes() -> int:
    """Return the number of doubles in one register: 8 with AVX-512, 4 with AVX2 (and two registers of 2 elsewhere)."""
    features = binding.get_host_cpu_features()
    if config.CPU_FEATURES:
        return 8 if "+avx512f" in config.CPU_FEATURES else 4
    return 8 if features.get("avx512f") else 4


def _register_lanes() -> int:
    """Return the doubles in the widest register that Numba compiles for, at least four."""
    features = config.CPU_FEATURES
    if features is None and config.CPU_NAME in (None, "host"):
        features = binding.get_host_cpu_features().flatten()
    return 8 if "+avx512f" in (features or "") else 4


REGISTER_LANES = _register_lanes()
"""Doubles in the widest register."""

LANES = _preferred_lanes()
"""Central atoms that the energy and force loop treats at once."""


class VectorType(types.Type):  # type: ignore[misc]  # numba carries no types
    """Numba type of W doubles."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Float64x{width}")

    @property
    def key(self) -> int:
        """What makes two types equal."""
        return self.width


def _llvm_type(vector: VectorType) -> Any:
    return ir.VectorType(ir.DoubleType(), vector.width)


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
            if isinstance(a, VectorType) and (a == b or isinstance(b, types.Float)):
                return signature(a, a, b)
            if isinstance(b, VectorType) and isinstance(a, types.Float):
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


def _element_address(context: Any, builder: Any, kind: Any, memory: Any, index: Any) -> Any:
    """Return the address of an element of an array or pointer."""
    if not isinstance(kind, types.CPointer):
        memory = context.make_array(kind)(context, builder, memory).data
    return builder.gep(memory, [index])


def _address(context: Any, builder: Any, kind: Any, memory: Any, index: Any, vector: VectorType) -> Any:
    return builder.bitcast(_element_address(context, builder, kind, memory, index), _llvm_type(vector).as_pointer())


class VectorOperations(NamedTuple):
    """Memory operations of one width."""

    load: Callable[..., Any]
    store: Callable[..., Any]
    splat: Callable[..., Any]


def vector_operations(width: int) -> VectorOperations:
    """Return load, store and splat for vectors of `width` doubles, for use in compiled loops."""
    if config.DISABLE_JIT:
        return VectorOperations(
            load=lambda array, i: _checked_slice(array, i, width).copy(),
            store=lambda array, i, v: _checked_slice(array, i, width).__setitem__(slice(None), v),
            splat=lambda x: np.full(width, float(x)),
        )
    vector = VectorType(width)

    @intrinsic
    def load(typingctx: Any, array: Any, i: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            loaded = builder.load(_address(context, builder, sig.args[0], args[0], args[1], vector))
            loaded.align = 8
            return loaded

        return vector(array, types.intp), lower

    @intrinsic
    def store(typingctx: Any, array: Any, i: Any, v: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            stored = builder.store(args[2], _address(context, builder, sig.args[0], args[0], args[1], vector))
            stored.align = 8
            return context.get_dummy_value()

        return types.void(array, types.intp, v), lower

    @intrinsic
    def splat(typingctx: Any, x: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return _splat(builder, args[0], vector)

        return vector(types.float64), lower

    return VectorOperations(load, store, splat)


def _checked_slice(array: Any, i: int, width: int) -> Any:
    if not 0 <= i <= len(array) - width:
        raise IndexError(f"lanes {i} to {i + width - 1} of an array of {len(array)} numbers")
    return array[i : i + width]


def _elementwise(name: str, n_arguments: int) -> Any:
    """Return an intrinsic that calls LLVM's function `name` on 1 or 2 vectors."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = _llvm_type(sig.return_type)
        function_type = ir.FunctionType(kind, [kind] * n_arguments)
        callee = cgutils.get_or_insert_function(
            builder.module, function_type, f"llvm.{name}.v{sig.return_type.width}f64"
        )
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
                builder.module, function_type, f"llvm.vector.reduce.fadd.v{a.width}f64"
            )
            return builder.call(callee, [ir.Constant(kind.element, 0.0), args[0]], fastmath=("reassoc",))

        return types.float64(a), lower

    return total


def _lane() -> Any:
    @intrinsic
    def lane(typingctx: Any, a: Any, k: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.extract_element(args[0], args[1])

        return types.float64(a, types.intp), lower

    return lane


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
            builder.store(args[2], _element_address(context, builder, sig.args[0], args[0], args[1]))
            return context.get_dummy_value()

        return types.void(p, types.intp, p.dtype), lower

    return put


def shuffle(indices: tuple[int, ...]) -> Any:
    """Return an intrinsic f(a, b) that picks lanes `indices` of the two vectors laid end to end."""
    if config.DISABLE_JIT:
        return lambda a, b: np.concatenate([a, b])[list(indices)]

    @intrinsic
    def shuffled(typingctx: Any, a: Any, b: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), list(indices))
            return builder.shuffle_vector(args[0], args[1], mask)

        return VectorType(len(indices))(a, b), lower

    return shuffled


def _element() -> Any:
    @intrinsic
    def element(typingctx: Any, array: Any, i: Any) -> Any:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.load(_element_address(context, builder, sig.args[0], args[0], args[1]))

        return array.dtype(array, types.intp), lower

    return element


if config.DISABLE_JIT:
    square_root, minimum, maximum = np.sqrt, np.minimum, np.maximum

    def element(array: Any, i: int) -> Any:
        """Return one number of a flat array."""
        return _checked_slice(array, i, 1)[0]

    def total(v: Any) -> float:
        """Return the sum over lanes."""
        return float(np.sum(v))

    def lane(v: Any, k: int) -> float:
        """Return one lane."""
        return float(v[k])

    def pointer(array: Any) -> Any:
        """Return the array as a row of numbers."""
        return array.reshape(-1)

    def shifted(p: Any, i: int) -> Any:
        """Return what starts at element i."""
        return p[i:]

    def put(p: Any, i: int, x: float) -> None:
        """Write one number."""
        _checked_slice(p, i, 1)[0] = x

else:
    square_root = _elementwise("sqrt", 1)
    minimum = _elementwise("minnum", 2)
    maximum = _elementwise("maxnum", 2)
    total = _total()
    lane = _lane()
    element = _element()
    pointer = _pointer()
    shifted = _shifted()
    put = _put()
