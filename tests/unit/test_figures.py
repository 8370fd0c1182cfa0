"""Stated figures as intervals, units as dimensions, formulas over both."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panhuo.core.figures import FigureError, Interval, evaluate, parse_unit, stated, verdict
from panhuo.rulebook.quantities import quantities

UNITS = quantities().units


def figure(value, unit, word="", *, claim=False):
    return stated(Decimal(value), parse_unit(unit, UNITS), quantities().bound(word), claim=claim)


@pytest.mark.parametrize(
    ("value", "unit", "word", "low", "high"),
    [
        ("36.23", "%", "", 0.36225, 0.36235),
        ("237", "处", "", 237, 237),
        ("220", "亩", "余", 220 * 2000 / 3, 230 * 2000 / 3),
        ("20", "亿元", "超", 200_000, 220_000),
        ("100", "万元", "不足", 85, 100),
        ("1.2", "亿元", "约", 11_000, 13_000),
        ("8880", "吨", "约", 8_791_200, 8_968_800),
        ("1", "公顷", "", 5_000, 15_000),
    ],
)
def test_a_stated_figure_is_an_interval(value, unit, word, low, high):
    found = figure(value, unit, word)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("computed", "word", "expected"),
    [
        (99, "超", "disagree"),
        (100, "超", "agree"),
        (199, "超", "agree"),
        (201, "超", "disagree"),
        (101, "不足", "disagree"),
        (100, "不足", "agree"),
        (50, "不足", "agree"),
        (49, "不足", "disagree"),
        (100, "近", "agree"),
        (85, "近", "agree"),
        (84, "近", "disagree"),
        (101, "近", "disagree"),
    ],
)
def test_words_of_degree_hold_on_their_own_side(computed, word, expected):
    assert verdict(figure("100", "家", word, claim=True), Interval(computed, computed, computed)) == expected


def test_units_multiply_out():
    known = {"floor": figure("6.5", "万㎡"), "land": figure("36", "亩"), "money": figure("928.66", "万元")}
    assert evaluate("floor / land", known).value == pytest.approx(2.7083, abs=1e-4)
    assert dict(evaluate("floor / land", known).dimension) == {}
    price = evaluate("money / land", known)
    assert price.dimension == parse_unit("元/㎡", UNITS).dimension


@pytest.mark.parametrize(
    "formula", ["a + b", "a / zero", "nobody", "a ** 2", "__import__('os')", "a if b else a", "a +", "'a'"]
)
def test_what_is_no_arithmetic_is_refused(formula):
    known = {"a": figure("3", "亩"), "b": figure("3", "万元"), "zero": Interval(-1, 0, 1)}
    with pytest.raises(FigureError):
        evaluate(formula, known)


def test_an_unknown_unit_is_refused():
    with pytest.raises(FigureError):
        parse_unit("斗", UNITS)


def test_figures_of_other_dimension_cannot_be_compared():
    assert verdict(figure("3", "亩"), figure("3", "万元")) == "uncheckable"


numbers = st.decimals("0.01", "100000", places=2)


@given(numbers, numbers, st.sampled_from("+-*/"))
def test_an_interval_holds_the_value_of_exact_arithmetic(a, b, sign):
    known = {"a": figure(str(a), "1"), "b": figure(str(b), "1")}
    x, y = float(a), float(b)
    exact = {"+": x + y, "-": x - y, "*": x * y, "/": x / y}[sign]
    found = evaluate(f"a {sign} b", known)
    assert found.low <= exact + 1e-9 * abs(exact)
    assert exact - 1e-9 * abs(exact) <= found.high
    assert found.value == pytest.approx(exact)


@given(numbers, st.sampled_from(["亩", "公顷", "平方公里", "万亩"]))
def test_the_same_area_in_two_units_agrees(a, unit):
    area = figure(str(a), unit)
    other = area.value * 3 / 2000
    assert verdict(figure(f"{other:.6f}", "亩"), area) == "agree"
