"""Amounts of money: 万元, rounded once to the 分 (0.01 元), half up from the shortest decimal of the number.

Every amount that leaves a calculation goes through `wan`, so sums and files are the same on every machine.
"""

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

FEN: Final = Decimal("0.000001")
"""One 分 in 万元."""


def wan(amount: float) -> float:
    """`amount` [万元] rounded to the 分; ValueError when it is not a finite number."""
    if not math.isfinite(amount):
        raise ValueError(f"not an amount of money: {amount}")
    return float(Decimal(repr(float(amount))).quantize(FEN, ROUND_HALF_UP)) + 0.0


def total(amounts: Iterable[float]) -> float:
    """Exact sum of amounts [万元], rounded once."""
    return wan(math.fsum(amounts))


def ratio(value: float, digits: int = 6) -> float:
    """A pure number rounded half up to `digits` decimals."""
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)) + 0.0
