"""Precision and recall of the figure audit, against what was made by hand.

Held against: the relations of the source text (tests/golden/audit_truth.yaml), and reports of other kinds
with planted slips (tests/golden/reports), with what was found in those at first sight (audit_first_sight.yaml).

    python -m benchmarks.audit [--write]      (--write: docs/audit.md as well)

Needs the source text (PANHUO_SHARED or ../shared).
"""

import argparse
import os
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from panhuo.measure.audit.audit import audit_text
from panhuo.measure.audit.check import Check
from panhuo.measure.audit.quantities import Quantity
from panhuo.rulebook import Rulebook
from panhuo.workspace.audits import factors_of

ROOT = Path(__file__).resolve().parents[1]
TRUTH = ROOT / "tests" / "golden" / "audit_truth.yaml"
FIRST_SIGHT = ROOT / "tests" / "golden" / "audit_first_sight.yaml"
TAG = re.compile(r"\{\{(.*?)\|(ok|bad)\}\}")
PAGE = ROOT / "docs" / "audit.md"
LINE_SLACK = 2
"""A figure may begin on the line before the one a reader would name."""


@dataclass(frozen=True)
class Score:
    """Checks of one status against the relations of that status."""

    told: int
    true: int
    relations: int
    reached: int
    strays: Sequence[str]
    missed: Sequence[str]

    @property
    def precision(self) -> float:
        """Share of what is told that is so."""
        return self.true / self.told if self.told else 1.0

    @property
    def recall(self) -> float:
        """Share of what is so that is told."""
        return self.reached / self.relations if self.relations else 1.0


def source_text() -> Path:
    """Where the source text is on this machine (it may not be there)."""
    shared = Path(os.environ.get("PANHUO_SHARED", ROOT.parent / "shared"))
    return shared / str(yaml.safe_load(TRUTH.read_text(encoding="utf-8"))["document"])


def run() -> dict[str, Score]:
    """The scores of the alarms (disagree) and of the confirmations (agree)."""
    text = source_text().read_text(encoding="utf-8")
    ends = [i for i, char in enumerate(text) if char == "\n"]
    relations = yaml.safe_load(TRUTH.read_text(encoding="utf-8"))["relations"]
    checks = audit_text(text, factors=factors_of(Rulebook.load(), date(2025, 7, 1), "430000"))
    lines = {check.claim.index: bisect_left(ends, check.claim.start) + 1 for check in checks}
    return {status: _score(status, checks, lines, relations) for status in ("disagree", "agree")}


def _score(status: str, checks: Sequence[Check], lines: dict[int, int], relations: Sequence[Any]) -> Score:
    told = [c for c in checks if c.status == status]
    wanted = [r for r in relations if r["status"] == status]
    true = [c for c in told if any(_same(c, lines, r) for r in wanted)]
    reached = [r for r in wanted if any(_same(c, lines, r) for c in told)]
    return Score(
        told=len(told),
        true=len(true),
        relations=len(wanted),
        reached=len(reached),
        strays=[f"{lines[c.claim.index]}: {c.arithmetic}" for c in told if c not in true],
        missed=[f"{r['id']}: {r['figure']} {r['why']}" for r in wanted if r not in reached],
    )


def _same(check: Check, lines: dict[int, int], relation: dict[str, Any]) -> bool:
    name = check.claim.unit.name.removesuffix("1").removesuffix("/亩")
    written = {f"{check.claim.value}{name}", f"{check.claim.value}{check.claim.unit.name}"}
    line = lines[check.claim.index]
    return relation["figure"] in written and any(abs(line - at) <= LINE_SLACK for at in relation["lines"])


@dataclass(frozen=True)
class Planted:
    """A tagged figure of a report: its span in the text without tags, and whether it is a slip."""

    start: int
    end: int
    bad: bool

    def covers(self, check: Check) -> bool:
        """Whether a check speaks of this figure."""
        return self._is(check.claim)

    def named_by(self, check: Check) -> bool:
        """Whether a check speaks of this figure or reckons with it."""
        return any(self._is(q) for q in (check.claim, *check.inputs))

    def _is(self, quantity: Quantity) -> bool:
        return quantity.start < self.end and self.start < quantity.end


def audited(path: Path) -> tuple[list[Planted], list[Check]]:
    """The tagged figures of a report ({{12亩|ok}}, {{34%|bad}}) and the checks of its text without tags."""
    raw, text, planted, at = path.read_text(encoding="utf-8"), "", [], 0
    for match in TAG.finditer(raw):
        text += raw[at : match.start()]
        planted.append(Planted(len(text), len(text) + len(match[1]), match[2] == "bad"))
        text += match[1]
        at = match.end()
    factors = factors_of(Rulebook.load(), date(2025, 7, 1), "430000")
    checks = audit_text(text + raw[at:], factors=factors)
    return planted, [check for check in checks if check.status != "uncheckable"]


def reports() -> list[Path]:
    """The tagged reports."""
    return sorted((ROOT / "tests" / "golden" / "reports").glob("*.txt"))


def run_reports() -> dict[str, Score]:
    """The scores on tagged reports, as `run` has them."""
    read = [audited(path) for path in reports()]
    return {
        status: Score(
            told=sum(c.status == status for _, checks in read for c in checks),
            true=sum(_right(c, planted, status) for planted, checks in read for c in checks),
            relations=sum(p.bad == (status == "disagree") for planted, _ in read for p in planted),
            reached=sum(
                any(_told(p, c, status) for c in checks)
                for planted, checks in read
                for p in planted
                if p.bad == (status == "disagree")
            ),
            strays=[],
            missed=[],
        )
        for status in ("disagree", "agree")
    }


def _right(check: Check, planted: Sequence[Planted], status: str) -> bool:
    """Whether an alarm names a planted slip, or a confirmation is of none."""
    slip = any(p.bad and (p.covers(check) if status == "agree" else p.named_by(check)) for p in planted)
    return check.status == status and slip == (status == "disagree")


def _told(figure: Planted, check: Check, status: str) -> bool:
    """Whether a check tells of a figure: an alarm by naming it anywhere, a confirmation by being of it."""
    named = figure.named_by(check) if status == "disagree" else figure.covers(check)
    return named and check.status == status


def _row(name: str, score: Score) -> str:
    return (
        f"| {name} | {score.told} | {score.true} | {score.precision:.1%} "
        f"| {score.reached} / {score.relations} | {score.recall:.1%} |"
    )


def first_sight(sets: Sequence[dict[str, Any]]) -> list[str]:
    """What the audit gave on each set of reports the first time: the only figures a new report may expect."""
    by_lot = [row for row in sets if "before" in row]
    before = [{**row, **row["before"]} for row in by_lot]
    rows = [
        f"| {row['reports']} | {row['date']} | {row['alarms']} | {row['right']} "
        f"| {row['found']} / {row['slips']} | {row['cleared']} |"
        for row in sets
    ]
    last = "、".join(row["reports"] for row in sets[-2:])
    return [
        "### 初见 At first sight",
        "",
        "每组报告写成后第一次核对的结果，之后才据以改进程序，所以每组遇到的都是没有见过它的程序。"
        "自 z 组起，报告先按正确写成，哪些数字改错、怎样改错由抽签决定。用在新报告上可以期待的是这里的水平，"
        "不是下文“改进之后”的。",
        "",
        "What the audit gave on each set the first time, before it was bettered on it. From set z on the reports",
        "were written right and the figures to be falsified, and how, were drawn by lot. This is what a new report",
        "may expect, not what stands under After.",
        "",
        "| 组 set | 日期 date | 报警 alarms | 属实 true | 发现差错 slips found | 误判相符 wrongly cleared |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        "| | 准确率 precision | 召回率 recall |",
        "|---|---|---|",
        _shares("各组合计 all sets", sets),
        _shares("z 组以前 sets before z", [row for row in sets if row not in by_lot]),
        _shares("z 组起 from z on", by_lot),
        _shares("同样几组，改进之前的程序 the same sets, the program before", before),
        _shares(f"最后两组 the last two sets, {last}", sets[-2:]),
        "",
        "差错在报警所列的数字之中即算属实，算式本身未必对。An alarm counts as true when the slip is among the figures",
        "it names; its arithmetic need not be what is wrong with the slip.",
        "",
        "一组只有二十到四十处差错，召回率的标准差约十个百分点。A set has twenty to forty slips: the standard error of",
        "its recall is about ten points.",
        "",
        "英文报告不核对：词、单位和句式都只认中文。Reports in English are not audited: words, units and turns of",
        "phrase are Chinese only.",
        "",
    ]


def _shares(name: str, sets: Sequence[dict[str, Any]]) -> str:
    alarms, right, slips, found = (
        sum(row[key] for row in sets) for key in ("alarms", "right", "slips", "found")
    )
    return f"| {name} | {right} / {alarms} = {right / alarms:.0%} | {found} / {slips} = {found / slips:.0%} |"


def page(scores: dict[str, Score]) -> str:
    """docs/audit.md."""
    alarms, clear = scores["disagree"], scores["agree"]
    planted = run_reports()
    rows = [_row("报警（不符） alarms", alarms), _row("证实（相符） confirmations", clear)]
    others = [_row("报警 alarms", planted["disagree"]), _row("证实 confirmations", planted["agree"])]
    first = yaml.safe_load(FIRST_SIGHT.read_text(encoding="utf-8"))
    return "\n".join(
        [
            "# 数字核对的准确程度 How well the figure audit does",
            "",
            "由 `python -m benchmarks.audit --write` 生成，勿手改。核对对象为二十个典型案例的原文，",
            "对照为逐段人工列出的数字关系（`tests/golden/audit_truth.yaml`，只记行号和数字）。",
            "",
            "Made by `python -m benchmarks.audit --write`. The audit reads the text of the twenty cases; the",
            "list it is held against was made by hand and records line numbers and figures only.",
            "",
            "| | 提出 told | 属实 true | 准确率 precision | 命中关系 relations reached | 召回率 recall |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "- 同一数字在核心提示与正文重复出现时各计一次提出，关系只计一次。"
            " A figure told twice counts twice as told, once as a relation.",
            "- 无法核对的数字（缺基数、净处置率等）另列为 uncheckable，不计入上表。"
            " Figures no identity reaches are told as uncheckable and not counted here.",
            "",
            "## 其他体裁、预设差错的报告 Reports of other kinds with planted slips",
            "",
            f"{len(reports())} 份自编报告（总结、可研、新闻、审计、公报、方案、纪要等），把若干数字改错后核对。",
            f"{len(reports())} made-up reports of many kinds with some figures falsified.",
            "",
            *first_sight(first),
            "### 改进之后 After",
            "",
            "| | 提出 told | 属实 true | 准确率 precision | 命中 reached | 召回率 recall |",
            "|---|---|---|---|---|---|",
            *others,
            "",
            "## 未命中 Missed",
            "",
            *([f"- {line}" for line in [*alarms.missed, *clear.missed]] or ["- 无 none"]),
            "",
            "## 表外的提出 Told beyond the list",
            "",
            *([f"- {line}" for line in [*alarms.strays, *clear.strays]] or ["- 无 none"]),
            "",
        ]
    )


def main() -> None:
    """Prints the scores; with --write, writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    text = page(run())
    if write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
