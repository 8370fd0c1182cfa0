"""What an identity says of a claim: candidates computed from other figures, and the verdict they settle."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from panhuo.core.figures import Interval, Verdict
from panhuo.measure.audit.quantities import Quantity, Report

CLOSE_DIGITS: Final = 4
"""A figure of fewer digits is too short to speak of one digit miswritten."""
COARSE: Final = 3.0
"""A computed value known so many times less closely than the claim cannot confirm what it does not hit."""
HIT: Final = 0.03
"""A far value may be off by so much of a figure of one digit and still confirm it."""
FAR_OFF: Final = 2.0
"""Figures further apart than this are not one thing reckoned wrong."""
WIDE: Final = 0.25
"""A value known no better than this is shown as a range."""


@dataclass(frozen=True, slots=True)
class Check:
    """A claim, what it should be, and how that was reckoned. `computed` is in the unit of the claim."""

    claim: Quantity
    status: Verdict
    identity: str
    computed: float | None
    arithmetic: str
    inputs: tuple[Quantity, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to compute a claim: the value found, the formula in words, the figures used."""

    value: Interval
    formula: str
    inputs: tuple[Quantity, ...]


Identity = Callable[[Report], Iterator[Check]]


def settle(
    claim: Quantity,
    identity: str,
    near: Sequence[Candidate],
    wide: Iterable[Candidate] = (),
    *,
    likely: Sequence[Candidate] = (),
    sure: bool = False,
) -> Iterator[Check]:
    """The check of a claim, if any, from candidates near it and, only to clear it, candidates further away.

    A near candidate that fits, within rounding and words of degree, clears the claim; a far one must fit the
    figure as written. Near candidates accuse, the one that looks like a slip of the pen first; likely ones,
    of figures that need not belong together, clear as far ones do and accuse only of a slip of the pen.
    A value that no slip or miscount explains says that the figures do not belong together, unless they must (`sure`).
    """
    usable = [c for c in near if dict(c.value.dimension) == dict(claim.claim.dimension)]
    if fitting := [c for c in usable if c.value.overlaps(claim.claim)]:
        best = min(fitting, key=lambda c: _distance(claim, c))
        yield _check(claim, "uncheckable" if _too_coarse(claim, best) else "agree", identity, best)
        return
    for candidate in (*likely, *wide):
        same = dict(candidate.value.dimension) == dict(claim.claim.dimension)
        if same and fits_as_written(claim, candidate) and _hits(claim, candidate):
            yield _check(claim, "agree", identity, candidate)
            return
    slips = [c for c in (*usable, *likely) if slip(claim, c)]
    accusing = slips or [c for c in usable if sure or _thinkable(claim, c)]
    if accusing:
        yield _check(claim, "disagree", identity, accusing[0])


def _thinkable(claim: Quantity, candidate: Candidate) -> bool:
    """Whether one could be written for the other: less than twice it, or but for a digit or two that changed places."""
    value, meant = abs(float(claim.value)), abs(in_unit(claim, candidate.value))
    if value <= FAR_OFF * meant and meant <= FAR_OFF * value:
        return True
    places = len(str(claim.value).partition(".")[2])
    written, told = digits(str(claim.value)), digits(f"{meant:.{places}f}")
    if len(written) != len(told):
        return False
    differing = [i for i, (a, b) in enumerate(zip(written, told, strict=True)) if a != b]
    return len(differing) == 1 or (
        len(differing) == 2 and [written[i] for i in differing] == [told[i] for i in differing[::-1]]
    )


def _hits(claim: Quantity, candidate: Candidate) -> bool:
    """Whether a value is that of the claim itself and not only of its rounding: 2.1 is no proof of 2."""
    return claim.bound is not None or _distance(claim, candidate) <= HIT * abs(claim.claim.value)


def _too_coarse(claim: Quantity, candidate: Candidate) -> bool:
    """Whether figures fit a claim only because they are told much more roughly than it: 54% － 48.5% and 5.7 points."""
    softened = any(q.bound for q in (claim, *candidate.inputs))
    wide = candidate.value.high - candidate.value.low > COARSE * (claim.claim.high - claim.claim.low)
    return not softened and wide and not fits_as_written(claim, candidate)


def fits_as_written(claim: Quantity, candidate: Candidate) -> bool:
    """Whether the nominal value computed lies within what the claim may stand for."""
    value = candidate.value.value
    return Interval(value, value, value, candidate.value.dimension).overlaps(claim.claim)


def _check(claim: Quantity, status: Verdict, identity: str, candidate: Candidate) -> Check:
    computed = in_unit(claim, candidate.value)
    hint = slip(claim, candidate) if status == "disagree" else ""
    sign = {"agree": "＝", "disagree": "≠"}.get(status, "≈")
    found = shown(computed)
    if candidate.value.high - candidate.value.low > WIDE * abs(candidate.value.value):
        factor = float(claim.unit.factor)
        found = f"{shown(candidate.value.low / factor)}–{shown(candidate.value.high / factor)}"
    unit = claim.unit.name.removesuffix("1")
    words = f"{candidate.formula} = {found}{unit} {sign} {claim.text}"
    return Check(claim, status, identity, computed, words, candidate.inputs, hint)


def _distance(claim: Quantity, candidate: Candidate) -> float:
    return abs(candidate.value.value - claim.claim.value)


def in_unit(claim: Quantity, value: Interval) -> float:
    """A computed value in the unit of the claim."""
    return value.value / float(claim.unit.factor)


def shown(value: float) -> str:
    """A number with six significant digits and no useless zeros."""
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"


def slip(claim: Quantity, candidate: Candidate) -> str:
    """The slip of the pen a difference looks like, or nothing."""
    computed, value = in_unit(claim, candidate.value), float(claim.value)
    if not computed or not value:
        return ""
    if claim.kind == "times" and _same(computed + 1, value):
        return "疑将“是原来的若干倍”写成“增长若干倍”"
    for power in (10.0, 100.0, 1000.0):
        if _same(computed, value * power) or _same(computed, value / power):
            return f"差{power:.0f}倍，疑小数点或单位之误"
    written, meant = digits(str(claim.value)), digits(f"{computed:.10g}")
    size = min(len(written), len(meant), CLOSE_DIGITS)
    if (
        size >= CLOSE_DIGITS - 1
        and re.sub(r"\D", "", f"{computed:.0f}")
        and _places(computed) == _places(value)
    ):
        meant = digits(f"{computed:.{len(str(claim.value).partition('.')[2])}f}")
        if len(meant) == len(written):
            return _digit_slip(written, meant)
    return ""


def _digit_slip(written: str, meant: str) -> str:
    differing = [i for i, (a, b) in enumerate(zip(written, meant, strict=True)) if a != b]
    if len(differing) == 1 and len(written) >= CLOSE_DIGITS:
        return "一位数字不同，疑为笔误"
    if len(differing) == 2 and differing[1] == differing[0] + 1:
        i, j = differing
        if written[i] == meant[j] and written[j] == meant[i]:
            return "两位数字颠倒，疑为笔误"
    return ""


def digits(text: str) -> str:
    """The digits of a number from its first that is not zero."""
    return re.sub(r"\D", "", text).lstrip("0")


def _places(value: float) -> int:
    return len(str(int(abs(value))))


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 0.005 * abs(b)
