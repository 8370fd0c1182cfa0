"""Precision and recall of the figure audit against the hand-made list of tests/golden/audit_truth.yaml.

    python -m benchmarks.audit [--write]      (--write: docs/audit.md as well)

Needs the source text (PANHUO_SHARED or ../shared).
"""

import argparse
import os
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from panhuo.measure.audit.audit import audit_text
from panhuo.measure.audit.check import Check
from panhuo.rulebook import Rulebook
from panhuo.workspace.audits import factors_of

ROOT = Path(__file__).resolve().parents[1]
TRUTH = ROOT / "tests" / "golden" / "audit_truth.yaml"
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


def page(scores: dict[str, Score]) -> str:
    """docs/audit.md."""
    alarms, clear = scores["disagree"], scores["agree"]
    rows = [
        f"| 报警（不符） alarms | {alarms.told} | {alarms.true} | {alarms.precision:.1%} "
        f"| {alarms.reached} / {alarms.relations} | {alarms.recall:.1%} |",
        f"| 证实（相符） confirmations | {clear.told} | {clear.true} | {clear.precision:.1%} "
        f"| {clear.reached} / {clear.relations} | {clear.recall:.1%} |",
    ]
    return "\n".join(
        [
            "# 数字核对的准确程度 How well the figure audit does",
            "",
            "由 `python -m benchmarks.audit --write` 生成，勿手改。核对对象为二十个典型案例的原文，",
            "对照为逐段人工列出的数字关系（`tests/golden/audit_truth.yaml`，只记行号和数字）。",
            "",
            "Made by `python -m benchmarks.audit --write`. The audit reads the text of the twenty cases; the list",
            "it is held against was made by hand, from the text, and records line numbers and figures only.",
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
