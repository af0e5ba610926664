"""What the loops of ACE need to know: one immutable record, made by `ACE.fit` or read from a model file."""

from dataclasses import dataclass

from linmlp.descriptors.ace.basis import Function
from linmlp.descriptors.ace.forms import Forms, RadialForm
from linmlp.descriptors.elements import element_indices
from linmlp.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class AceParameters:
    """Elements, functions and radial functions.

    Every element has the same `functions` around it; feature ``z * len(functions) + v`` is function v around element z.

    Attributes
    ----------
    numbers : tuple of int
        Atomic numbers, ascending; element indices point here.
    cutoff : float
        Cutoff radius in Å.
    scaling : float
        Exponent lambda of the scaled distance.
    functions : tuple of Function
        Tuples of channels (element, n, l).
    radial_map : ndarray of shape (n_elements, n_elements, max_l + 1, n_radial, n_raw)
        Raw to used radial functions of orders 2 and 3: R_nl = sum_k radial_map[center, neighbor, l, n, k] g_k.
    pair_map : ndarray of shape (n_elements, n_elements, n_pair, n_pair)
        The same for the pair term.
    inner, inner_width : ndarray of shape (n_elements, n_elements)
        Inner switch of every raw function in Å; width 0 means none.
    forms : tuple of tuples of RadialForm or None, default=None
        Raw functions by center and neighbor, of potentials read from files of other programs; None for those of
        `linmlp.descriptors.ace.radial`. `cutoff` is the largest of them.
    mixing : ndarray of shape (n_elements, n_channels, n_elements) or None, default=None
        W_ce of every central element, which mixes the densities of neighbors of elements e; `radial_map` and `pair_map`
        are then the same for all neighbors. None where densities are not mixed.
    """

    numbers: tuple[int, ...]
    cutoff: float
    scaling: float
    functions: tuple[Function, ...]
    radial_map: FloatArray
    pair_map: FloatArray
    inner: FloatArray
    inner_width: FloatArray
    forms: Forms | None = None
    mixing: FloatArray | None = None

    @property
    def n_features(self) -> int:
        """Number of features, over all central elements."""
        return len(self.numbers) * len(self.functions)

    @property
    def n_channels(self) -> int | None:
        """Number of densities that elements are mixed to, or None."""
        return None if self.mixing is None else self.mixing.shape[1]

    def form(self, center: int, neighbor: int) -> RadialForm:
        """Return the raw functions of a pair of elements."""
        if self.forms is None:
            return RadialForm.own(self.cutoff, self.scaling)
        return self.forms[center][neighbor]

    def element_indices(self, numbers: IntArray) -> IntArray:
        """Return the element index of every atom; StructureError for an element that is not known.

        Parameters
        ----------
        numbers : ndarray of shape (n_atoms,)
            Atomic numbers.

        Returns
        -------
        ndarray of shape (n_atoms,)
            Positions in `self.numbers`.
        """
        return element_indices(self.numbers, numbers)
