"""The type of vectors in compiled code, and its arithmetic."""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import PrimitiveModel
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, register_model

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


def llvm_type(vector: VectorType) -> Any:
    """Return what LLVM calls the type."""
    return ir.VectorType(ir.DoubleType() if vector.bits == 64 else ir.FloatType(), vector.width)


@register_model(VectorType)
class _VectorModel(PrimitiveModel):  # type: ignore[misc]  # numba carries no types
    def __init__(self, dmm: Any, fe_type: VectorType) -> None:
        super().__init__(dmm, fe_type, llvm_type(fe_type))


def splat_scalar(builder: Any, scalar: Any, vector: VectorType) -> Any:
    """Return the instruction that puts a number into every lane."""
    undefined = ir.Constant(llvm_type(vector), ir.Undefined)
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
            value if isinstance(kind, VectorType) else splat_scalar(builder, value, vector)
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
