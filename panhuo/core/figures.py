"""Stated figures and their arithmetic: units as dimensions, words of degree as intervals, formulas.

A figure in a report is a rounded number, often softened (约 近 超 余 不足). Read as an interval it can be
compared with what other figures give: two disagree only when no values they may stand for agree.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

Dimension = Mapping[str, int]
Bound = Literal["about", "near", "above", "below", "over"]
Verdict = Literal["agree", "disagree", "uncheckable"]

PLAIN: Final[Dimension] = {}
ABOUT_LEAST: Final = 0.01
ABOUT_MOST: Final = 0.10
"""约 means one unit of the last non-zero digit, but at least 1 % and at most 10 %."""
NEAR: Final = 0.15
"""近 and 不足 as the input of a formula: at most 15 % below."""
ABOVE: Final = 0.10
"""超 as the input of a formula: at most 10 % above."""
LOOSE: Final = 2.0
"""超 or 不足 as a claim holds up to twice (half) the figure; beyond that no one would write it."""
SLACK: Final = 1e-9


class FigureError(ValueError):
    """A formula that cannot be evaluated: an unknown name, units that do not add, a division by zero."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as written: its dimension and how many base units (m², 万元, kg, kWh, months) one of it makes.

    `exact` marks counts, which are whole and not rounded.
    """

    name: str
    dimension: Dimension
    factor: Fraction
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """The values a figure may stand for, in base units, with its nominal `value`."""

    low: float
    value: float
    high: float
    dimension: Dimension = field(default_factory=dict)

    def overlaps(self, other: "Interval") -> bool:
        """Whether some value fits both."""
        slack = SLACK * max(abs(self.value), abs(other.value), SLACK)
        return self.low <= other.high + slack and other.low <= self.high + slack

    def __add__(self, other: "Interval") -> "Interval":
        if self.dimension != other.dimension:
            raise FigureError("单位不同，不能加减 (units differ)")
        low, high = self.low + other.low, self.high + other.high
        return Interval(low, self.value + other.value, high, self.dimension)

    def __neg__(self) -> "Interval":
        return Interval(-self.high, -self.value, -self.low, self.dimension)

    def __mul__(self, other: "Interval") -> "Interval":
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(
            min(ends), self.value * other.value, max(ends), combined(self.dimension, other.dimension, 1)
        )

    def __truediv__(self, other: "Interval") -> "Interval":
        if other.low <= 0 <= other.high:
            raise FigureError("除数可能为零 (the divisor may be zero)")
        ends = [a / b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(
            min(ends), self.value / other.value, max(ends), combined(self.dimension, other.dimension, -1)
        )


def combined(a: Dimension, b: Dimension, sign: Literal[1, -1]) -> Dimension:
    """The dimension of a product (sign 1) or quotient (sign -1)."""
    powers = {name: a.get(name, 0) + sign * b.get(name, 0) for name in {*a, *b}}
    return {name: power for name, power in powers.items() if power}


def parse_unit(text: str, units: Mapping[str, Unit]) -> Unit:
    """The unit written `text`, a name or a quotient of names (万元/亩). Raises FigureError when unknown."""
    if text in units:
        return units[text]
    over, slash, under = text.rpartition("/")
    if not slash:
        raise FigureError(f"不认识的单位 (unknown unit): {text}")
    a, b = parse_unit(over, units), parse_unit(under, units)
    return Unit(text, combined(a.dimension, b.dimension, -1), a.factor / b.factor)


def last_place(value: Decimal) -> Decimal:
    """The weight of the last digit written: 0.01 for 36.23, 1 for 5826."""
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def last_nonzero_place(value: Decimal) -> Decimal:
    """The weight of the last digit that is not zero: 100 for 1500, 10 for 220."""
    digits = value.normalize()
    exponent = digits.as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def stated(value: Decimal, unit: Unit, bound: Bound | None = None, *, claim: bool = False) -> Interval:
    """What a stated figure may stand for, in base units.

    claim: read it as what is claimed (超 and 不足 hold loosely) rather than as an input of a formula.
    """
    number = float(value)
    low, high = _bounds(value, bound, exact=unit.exact, claim=claim)
    factor = float(unit.factor)
    return Interval(low * factor, number * factor, high * factor, unit.dimension)


def _bounds(value: Decimal, bound: Bound | None, *, exact: bool, claim: bool) -> tuple[float, float]:
    number, size = float(value), abs(float(value))
    match bound:
        case "about":
            width = min(max(float(last_nonzero_place(value)), ABOUT_LEAST * size), ABOUT_MOST * size)
            return number - width, number + width
        case "near":
            return number - NEAR * size, number
        case "below":
            return (number / LOOSE if claim else number - NEAR * size), number
        case "above":
            return number, (number * LOOSE if claim else number + ABOVE * size)
        case "over":
            return number, number + float(last_nonzero_place(value))
    half = 0.0 if exact else float(last_place(value)) / 2
    return number - half, number + half


def evaluate(formula: str, figures: Mapping[str, Interval]) -> Interval:
    """The value of `formula` (+ - * / and brackets) over named figures. Raises FigureError."""
    try:
        tree = ast.parse(formula, mode="eval")
    except SyntaxError as error:
        raise FigureError(f"算式有误 (bad formula): {formula}") from error
    return _value(tree.body, figures)


OPERATIONS: Final[Mapping[type[ast.operator], Callable[[Interval, Interval], Interval]]] = {
    ast.Add: operator.add,
    ast.Sub: lambda a, b: a + -b,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _value(node: ast.expr, figures: Mapping[str, Interval]) -> Interval:
    match node:
        case ast.Name(id=name) if name in figures:
            return figures[name]
        case ast.Name(id=name):
            raise FigureError(f"没有这个数 (no such figure): {name}")
        case ast.Constant(value=int() | float() as number):
            return Interval(number, number, number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, figures)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_value(left, figures), _value(right, figures))
    raise FigureError(f"算式只许加减乘除 (only + - * / allowed): {ast.unparse(node)}")


def verdict(claim: Interval, computed: Interval) -> Verdict:
    """Whether a claim agrees with what its inputs give; figures of different dimension cannot be compared."""
    if dict(claim.dimension) != dict(computed.dimension) or math.isnan(computed.value):
        return "uncheckable"
    return "agree" if claim.overlaps(computed) else "disagree"
