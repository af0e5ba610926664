"""Does order 5 pay? Numbers of invariants by order and degree, and what order 5 would cost beside order 4.

Numbers are exact (characters of the rotation group). Operations are multiply-adds of one center, derivatives included,
on top of the coupled pairs, which order 4 has for the most part, for two ways to evaluate order 5:

    pair x pair x density   an invariant of order 3 of two coupled pairs and a channel: 4 for a monomial of complex
                            factors and 12 for a product (2 and 6, 2 and 3 where factors are real)
    pair x triple           2 (2L + 1) for the product of both, and the triples, which are pairs x channels; these are
                            shared: 2 for each coupling coefficient, 3 for each product of two columns

against 2 (2L + 1) for the product of two pairs in order 4, and their pairs, counted like triples. Five channels are
coupled by degree, the two pairs of lowest degree first. Where channels are equal, couplings depend on each other; their
mean costs are taken for the exact number of independent functions.

The gain of order 4 is what its 290 functions up to degree 8 add to (16, 14, 11) in cross-validation: the change of the
score (1/2 ln energy MAE + 1/2 ln force RMSE, mean of three fold seeds of benchmarks/accuracy/selection.py). From it
follows what order 5 would have to gain to pay as well as order 4 does.

    python benchmarks/accuracy/orders.py [--tiny]
"""

import argparse
from functools import cache

import numpy as np

from linmlp.descriptors.ace.basis import couples_of, enumerate_functions, order_of
from linmlp.descriptors.ace.counting import count_invariants
from linmlp.descriptors.ace.coupling import real_coupling
from linmlp.descriptors.ace.products import expand_monomials

SCORES = {"Si": (-4.219, -4.309), "Mo": (-4.084, -4.051), "Li": (-6.872, -6.939)}
"""Scores of (16, 14, 11) and of (16, 14, 11, 8), by `benchmarks/accuracy/selection.py`."""

PER_MONOMIAL, PER_PRODUCT = (2, 2, 4), (3, 6, 12)
"""Real, paired and complex monomials of order 3 and their products."""


def momenta(a, b):
    """Return the angular momenta to which two couple."""
    return range(abs(a - b), a + b + 1)


def multisets(n_elements, limit, max_l, size):
    """Return multisets of channels up to a total degree, each by degree."""
    channels = [(e, n, l) for l in range(max_l + 1) for n in range(limit - l + 1) for e in range(n_elements)]
    channels.sort(key=lambda channel: (channel[1] + channel[2], channel))

    def extend(first, left, chosen):
        if len(chosen) == size:
            yield tuple(chosen)
            return
        for k in range(first, len(channels)):
            rest = left - channels[k][1] - channels[k][2]
            if rest < 0:
                return
            yield from extend(k, rest, [*chosen, channels[k]])

    return extend(0, limit, [])


@cache
def third_order(l1, l2, l3):
    """Return the operations of an invariant of three different factors; the coupling may be odd."""
    ls = sorted((l1, l2, l3))
    start = {(k, 0, l): 100 * k for k, l in enumerate(ls)}
    kinds = expand_monomials([(0, tuple(start))], start)
    # An odd sum of l has as many monomials as the even neighbor has complex ones.
    return sum(len(kind) * (PER_MONOMIAL[k] + PER_PRODUCT[k] / 2) for k, kind in enumerate(kinds))


@cache
def coupling_terms(a, b, total):
    """Return the number of coefficients with which columns of two factors make a third."""
    return np.count_nonzero(real_coupling(a, b, total))


def cost_of_couples(couples):
    """Return the operations of couples (a, b, L), given with their three angular momenta."""
    products = {(a, b): (2 * l1 + 1) * (2 * l2 + 1) for (a, b, _), (l1, l2, _) in couples.items()}
    return 3 * sum(products.values()) + sum(2 * coupling_terms(*momenta) for momenta in couples.values())


def cost_of_five(n_elements, limit, max_l):
    """Return the number of functions of order 5 and the operations of both ways, without those of coupled pairs."""
    direct, products, triples, n_couplings = 0.0, 0.0, {}, 0  # triples by their two factors and total momentum
    for a, b, c, d, e in multisets(n_elements, limit, max_l, 5):
        ls = [channel[2] for channel in (a, b, c, d, e)]
        if sum(ls) % 2:
            continue
        for first in momenta(ls[0], ls[1]):
            for second in momenta(ls[2], ls[3]):
                if first not in momenta(second, ls[4]):
                    continue
                n_couplings += 1
                direct += third_order(first, second, ls[4])
                products += 2 * (2 * first + 1)
                triples[(c, d, second), e, first] = second, ls[4], first
    n_functions = count_invariants(5, n_elements, limit, max_l)
    share = n_functions / max(n_couplings, 1)
    return n_functions, share * direct, share * (products + cost_of_couples(triples))


def cost_of_four(n_elements, limit, max_l):
    """Return the number of functions of order 4, their operations, and those of their coupled pairs."""
    functions = [f for f in enumerate_functions(n_elements, (0, 0, 0, limit), max_l) if order_of(f) == 4]
    pairs = {(a, b, L): (a[2], b[2], L) for f in functions for a, b, L in couples_of(f)}
    own = sum(2 * (2 * couples_of(f)[0][2] + 1) for f in functions)
    return len(functions), own, cost_of_couples(pairs)


def print_numbers(degrees, orders, max_l):
    print(f"independent functions around one element, max_l {max_l}")
    for n_elements in (1, 2):
        print(f"{n_elements} element(s), degree " + " ".join(f"{limit:>11d}" for limit in degrees))
        for order in orders:
            numbers = [count_invariants(order, n_elements, limit, max_l) for limit in degrees]
            print(f"            order {order:3d} " + " ".join(f"{number:11d}" for number in numbers))


def print_costs(limits, max_l):
    print("multiply-adds of one center, one element, on top of the channels")
    print("degree  order 4: functions  products  coupled pairs   order 5: functions  pair.pair.density  pair.triple")
    for limit in limits:
        four, five = cost_of_four(1, limit, max_l), cost_of_five(1, limit, max_l)
        print(f"{limit:6d} {four[0]:19d} {four[1]:9.0f} {four[2]:14.0f} {five[0]:20d} {five[1]:18.0f} {five[2]:12.0f}")


def print_gain(limits, max_l):
    """Print what order 5 would have to gain for its operations."""
    gains = {name: before - after for name, (before, after) in SCORES.items()}
    mean = np.mean(list(gains.values()))
    n_four, own, of_pairs = cost_of_four(1, limits[-1], max_l)
    told = ", ".join(f"{name} {100 * gain:+.1f} %" for name, gain in gains.items())
    told = f"{told}; mean {100 * mean:+.1f} %"
    print(f"gain of order 4 up to degree {limits[-1]} ({n_four} functions, {own + of_pairs:.0f} operations): {told}")
    for limit in limits:
        n_five, *ways = cost_of_five(1, limit, max_l)
        needed = mean * min(ways) / (own + of_pairs)
        print(
            f"order 5 up to degree {limit} ({n_five} functions, {min(ways):.0f} operations, with the pairs of order 4) "
            f"pays as well if it gains {100 * needed:.1f} %"
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="low degrees, to see it run")
    options = parser.parse_args(arguments)
    max_l = 2 if options.tiny else 6
    print_numbers(range(4, 7 if options.tiny else 15, 1 if options.tiny else 2), range(1, 7), max_l)
    limits = (2, 3) if options.tiny else (4, 6, 8)
    print_costs(limits, max_l)
    print_gain(limits, max_l)


if __name__ == "__main__":
    main()
