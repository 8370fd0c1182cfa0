"""Quantities are read out of wrapped and crooked text, and each keeps its place in the original."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panhuo.measure.audit.audit import audit_text
from panhuo.measure.audit.quantities import read
from panhuo.measure.audit.text import plain


def quantities(text, **how):
    return read(plain(text, **how)).quantities


@pytest.mark.parametrize(
    ("text", "value", "unit", "bound"),
    [
        ("盘活土地3850亩，", "3850", "亩", None),
        ("增值超20亿元。", "20", "亿元", "above"),
        ("占地220余亩，", "220", "亩", "over"),
        ("税收不足百万元，", "100", "万元", "below"),
        ("面积约49亩", "49", "亩", "about"),
        ("建成厂房1.2万平方米，", "1.2", "万平方米", None),
        ("产值1,234.5万元", "1234.5", "万元", None),
        ("容积率提升至2.3，", "2.3", "1", None),
        ("亩均税收33.63万元，", "33.63", "万元/亩", None),
        ("节地率达85%以上", "85", "%", "above"),
        ("投资三亿元", "3", "亿元", None),
        ("近20000人", "20000", "人", "near"),
    ],
)
def test_a_quantity_is_read(text, value, unit, bound):
    (found,) = quantities(text)
    assert (found.value, found.unit.name, found.bound) == (Decimal(value), unit, bound)


@pytest.mark.parametrize(
    "text",
    [
        "（湘资规〔2021〕7号）",
        "《2024-2026年行动方案》",
        "2024年6月19日",
        "5G产业园",
        "工业4.0标准",
        "三位一体，五个一批",
        "2017C014地块",
        "“1+125”体系",
        "见图1-2",
    ],
)
def test_what_only_looks_like_a_quantity_is_left(text):
    assert quantities(text) == []


def test_wraps_superscripts_and_page_numbers_of_a_page_are_read_through():
    text = (
        "园区三年来累计盘活低效用地面积，激活闲置物业 196\n万 m\n2\n，其强大的\n15\n"
        "虹吸效应持续显现，税收\n达到 3.5 亿\n元。"
    )
    found = quantities(text, wrapped=True)
    assert [(q.value, q.unit.name) for q in found][-2:] == [(Decimal(196), "万m2"), (Decimal("3.5"), "亿元")]
    last = found[-1]
    assert text[last.start : last.end] == "3.5 亿\n元"


@given(
    st.lists(
        st.sampled_from(
            ["面积约49亩，", "投资\n1.2亿元。", "增长 9.1%；", "共 237 处\n", "（2024年）", "产业园 "]
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_every_figure_keeps_its_place(pieces, wrapped):
    text = "".join(pieces)
    for q in quantities(text, wrapped=wrapped):
        assert "".join(text[q.start : q.end].split()) == q.text


@given(st.lists(st.integers(11, 9999), min_size=3, max_size=6), st.integers(0, 3))
def test_a_complete_list_is_confirmed_and_a_changed_total_faulted(parts, error):
    total = sum(parts) + error * max(1, sum(parts) // 50)
    listed = "、".join(f"第{name}类{n}宗" for name, n in zip("甲乙丙丁戊己", parts, strict=False))
    checks = [c for c in audit_text(f"全市共有闲置土地{total}宗：{listed}。") if c.identity == "parts"]
    whole = [c for c in checks if c.claim.value == total and c.claim.index == 0]
    assert [c.status for c in whole] == ["disagree" if total != sum(parts) else "agree"]


@given(st.integers(20, 900), st.integers(2, 400))
def test_a_tenfold_slip_is_named(area, per_mu):
    text = f"项目占地{area}亩，年产值{area * per_mu}万元，亩均产值{per_mu * 10}万元。"
    (check,) = [c for c in audit_text(text) if c.identity == "per_area"]
    assert check.status == "disagree"
    assert "10倍" in check.hint
    assert check.computed == pytest.approx(per_mu)


def test_a_net_rate_without_opening_and_closing_cannot_be_checked():
    text = "闲置土地处置任务基数6634.2亩，处置闲置土地6555.15亩，净处置率21.64%。"
    (check,) = [c for c in audit_text(text) if c.claim.unit.name == "%"]
    assert check.status == "uncheckable"


def test_no_figures_no_checks():
    assert audit_text("") == []
    assert audit_text("本报告没有数字。") == []
