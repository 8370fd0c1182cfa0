"""Pictures of a comparison: net present value per party and tool, and the widest swings. Chinese in Noto Sans CJK."""

import io
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties as Font
from noto_cjk_sans_otc import FONT_PATH

from panhuo.appraise.cashflow import PARTIES
from panhuo.appraise.compare import Comparison
from panhuo.appraise.inputs import money_spec
from panhuo.appraise.sensitivity import Swing

COLOURS: Final = ("#1b6ca8", "#c0392b", "#2e8b57", "#d68910", "#7d3c98", "#5d6d7e")
MOST_SWINGS: Final = 6


def comparison_chart(comparison: Comparison, labels: dict[str, str]) -> bytes:
    """A PNG: bars of NPV [万元] per tool, one colour a party; below, the swings of the first tool that has any.

    labels: Chinese names of the tools. The same comparison gives the same bytes.
    """
    font = Font(fname=str(FONT_PATH), size=10)
    small = Font(fname=str(FONT_PATH), size=8)
    swinging = next(
        (a for a in comparison.appraisals if any(comparison.swings.get(a.tool_id, {}).values())), None
    )
    rows = 2 if swinging else 1
    with mpl.rc_context({"axes.unicode_minus": False}):
        figure = Figure(figsize=(9, 3.6 * rows), dpi=110, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        _bars(figure.add_subplot(rows, 1, 1), comparison, labels, font, small)
        if swinging:
            _swings(figure.add_subplot(rows, 1, 2), comparison, swinging.tool_id, labels, font, small)
        stream = io.BytesIO()
        canvas.print_png(stream, metadata={"Software": "panhuo"})  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _bars(axes: Axes, comparison: Comparison, labels: dict[str, str], font: Font, small: Font) -> None:
    parties = list(dict.fromkeys(p for a in comparison.appraisals for p in a.totals))
    names = money_spec().parties
    height = 0.8 / max(1, len(parties))
    for n, party in enumerate(parties):
        values = [a.totals[party].npv_wan if party in a.totals else 0.0 for a in comparison.appraisals]
        at = [i + n * height for i in range(len(values))]
        bars = axes.barh(at, values, height, color=COLOURS[PARTIES.index(party)], label=names[party].zh)
        texts = [f"{v:,.0f}" if abs(v) >= 10 else f"{v:.2f}" if v else "" for v in values]
        axes.bar_label(bars, texts, padding=2, fontproperties=small)
    axes.set_yticks([i + 0.4 - height / 2 for i in range(len(comparison.appraisals))])
    axes.set_yticklabels(
        [labels.get(a.tool_id, a.tool_id) for a in comparison.appraisals], fontproperties=font
    )
    axes.invert_yaxis()
    axes.axvline(0, color="#333", linewidth=0.8)
    axes.margins(x=0.15)
    axes.set_xlabel("净现值（万元）", fontproperties=font)
    axes.set_title(f"{comparison.case.parcel_id} 各方净现值 {comparison.case.on}", fontproperties=font)
    if parties:
        axes.legend(prop=small, loc="best", frameon=False)


def _swings(
    axes: Axes, comparison: Comparison, tool: str, labels: dict[str, str], font: Font, small: Font
) -> None:
    by_party = comparison.swings[tool]
    party = max(by_party, key=lambda p: (len(by_party[p]), max((s.width for s in by_party[p]), default=0.0)))
    swings = list(by_party[party])[:MOST_SWINGS]
    spec = money_spec()
    for n, swing in enumerate(swings):
        left, right = sorted((swing.npv_low, swing.npv_high))
        axes.barh(n, right - left, 0.6, left=left, color=COLOURS[0])
    axes.use_sticky_edges = False
    axes.set_yticks(range(len(swings)))
    axes.set_ylim(-0.5, max(len(swings), MOST_SWINGS // 2) - 0.5)
    names = [f"{spec.inputs[s.name].label.zh}\n{_range(s)}" for s in swings]
    axes.set_yticklabels(names, fontproperties=small)
    base = next(a for a in comparison.appraisals if a.tool_id == tool).totals[party].npv_wan
    axes.axvline(base, color="#333", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("净现值（万元）", fontproperties=font)
    title = f"{labels.get(tool, tool)}：{spec.parties[party].zh}净现值随单项输入的变动"
    axes.set_title(title, fontproperties=font)


def _range(swing: Swing) -> str:
    """Low and high of the input, and whether they were given."""
    return f"{swing.low:,.6g} – {swing.high:,.6g}{'（给定）' if swing.range_mark == 'given' else ''}"
