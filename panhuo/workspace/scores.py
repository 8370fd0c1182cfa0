"""`panhuo score`: the firms of a workspace by a scheme and what another weight, base or cap would change.

Nothing is written to the workspace: its assessment keeps the scores it has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import inf
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError, Problem, problem_table
from panhuo.inventory.land_enterprise import whole_name
from panhuo.report.chain import both, scheme_chain
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme_schema import Indicator, Scheme
from panhuo.score.land_base import PARCELS
from panhuo.score.whatif import DRAWS, Inputs, backtest, compared, moves, revised, stability
from panhuo.workspace.exports import writer_of
from panhuo.workspace.outputs import WRITERS, write_tables
from panhuo.workspace.published import read_published
from panhuo.workspace.rankings import rankings
from panhuo.workspace.store import Workspace

FILES: Final = {".xlsx": WRITERS[".xlsx"]}
HEADS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "scores": {"zh": ("企业代码", "企业", "方案", "组", "得分", "名次", "等级", "说明"),
               "en": ("Code", "Firm", "Scheme", "Group", "Score", "Rank", "Tier", "Because")},
    "moved": {"zh": ("企业代码", "企业", "原得分", "新得分", "原名次", "新名次", "原等级", "新等级"),
              "en": ("Code", "Firm", "Score before", "After", "Rank before", "After", "Tier before", "After")},
    "published": {"zh": ("企业代码", "企业", "公布等级", "测算等级"),
                  "en": ("Code", "Firm", "Tier published", "Tier by the scheme")},
    "firmness": {"zh": ("企业代码", "企业", "等级", "等级不变的比例"),
                 "en": ("Code", "Firm", "Tier", "Share of draws in the same tier")},
}  # fmt: skip
SHEETS: Final = {
    "scores": {"zh": "评分", "en": "Scores"},
    "moved": {"zh": "等级变化", "en": "Tiers changed"},
    "published": {"zh": "与公布对照", "en": "Against published"},
    "firmness": {"zh": "稳定性", "en": "Firmness"},
}
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "scores": ("enterprise_id", "name", "scheme_id", "group_id", "score", "rank", "tier", "excluded_because"),
    "moved": ("enterprise_id", "name", "score_before", "score_after", "rank_before", "rank_after", "tier_before",
              "tier_after"),
    "published": ("enterprise_id", "name", "tier_before", "tier_after"),
    "firmness": ("enterprise_id", "name", "tier", "kept"),
}  # fmt: skip
ORDER: Final = ("scheme_id", "group_id", "rank", "enterprise_id")


@dataclass(frozen=True)
class Change:
    """Other weights (0 or more), fixed bases (above 0) and caps (above 0) by `indicator` or `group.indicator`."""

    weights: Mapping[str, float] = field(default_factory=dict)
    bases: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.weights or self.bases or self.caps)

    def checked(self) -> "Change":
        """Itself. Raises PanhuoError for a number that no scheme could hold."""
        for flag, given in (("--weight", self.weights), ("--base", self.bases), ("--cap", self.caps)):
            for name, value in given.items():
                if not (0 <= value < inf) or (value == 0 and flag != "--weight"):
                    least = "0 或以上 0 or more" if flag == "--weight" else "大于 0 above 0"
                    raise PanhuoError(f"须为{least}: {name}={value:g}", where=flag)
        return self

    def of(self, scheme: Scheme) -> Scheme:
        """The scheme so changed. Raises PanhuoError for an indicator it does not have."""
        return revised(scheme, weights=self.weights, bases=self.bases, caps=self.caps)


def score_firms(
    ws: Workspace,
    *,
    named: str = "",
    change: Change | None = None,
    published: Path | None = None,
    noise: float | None = None,
    on: date | None = None,
    output: Path | None = None,
    lang: str = "zh",
) -> dict[str, Any]:
    """Scores of the firms by the scheme of their city, or by one named, with changes or without.

    published: a list of tiers as announced, to see which come out again; noise: how far figures may be off (relative),
    to see how firm the tiers are. Gives {as_of, schemes: [{scheme, label, law, assumed, cities, firms, groups,
    indicators}], scores, tiers: {tier: firms}, moves, moved, published, firmness, problems, files}; `moves` and `moved`
    compare the scheme with the changed one, the others are of the changed one; what was not asked for is None. Raises
    PanhuoError where there is nobody to score, or for an indicator, a number or a list that does not fit.
    """
    if output is not None:
        writer_of(output, FILES)
    if noise is not None and not 0 < noise < 1:
        raise PanhuoError(f"误差须在 0 与 1 之间 noise is between 0 and 1: {noise:g}", where="--noise")
    change, book, on = (change or Change()).checked(), Rulebook.load(), on or date.today()
    tables = _held(ws)
    problems: list[Problem] = []
    asked = [
        (rule, change.of(rule), inputs)
        for rule, inputs in rankings(tables, book, str(ws.config.get("place", "")), on, problems, named)
    ]
    if not asked:
        told = problems[0].action if problems else "没有企业 no enterprises"
        raise PanhuoError(
            f"没有可评分的企业 nobody to score: {told}",
            where=str(ws.root),
            remedy="先导入企业，或用 --scheme 指定方案 import enterprises, or name a --scheme",
        )
    names = _names(tables["enterprises"])
    results = [inputs.score(new) for _, new, inputs in asked]
    for result in results:
        problems.extend(p for p in result.problems if p not in problems)
    scores = pa.concat_tables(r.scores for r in results)
    found: dict[str, Any] = {
        "scores": _rows(scores.sort_by([(key, "ascending") for key in ORDER]), names, "scores"),
        "moves": None, "moved": None, "published": None, "firmness": None,
    }  # fmt: skip
    if change:
        both_ways = pa.concat_tables(
            compared(inputs.score(rule).scores, result.scores)
            for (rule, _, inputs), result in zip(asked, results, strict=True)
        )
        found["moves"] = moves(both_ways).to_pylist()
        found["moved"] = _rows(both_ways.filter(_differ(both_ways)), names, "moved")
    if published is not None:
        found["published"] = _held_to(published, [new for _, new, _ in asked], scores, names)
    if noise is not None:
        found["firmness"] = _firmness([(new, inputs) for _, new, inputs in asked], noise, names)
    schemes = _schemes(book, asked)
    files = [] if output is None else write_tables(output, _sheets(found, group_labels(schemes), lang))
    return {
        "as_of": on,
        "schemes": schemes,
        "tiers": _counts(scores, [new for _, new, _ in asked]),
        **found,
        "problems": problem_table(problems).to_pylist(),
        "files": files,
    }


def _held(ws: Workspace) -> dict[str, pa.Table]:
    """The datasets that scores are reckoned from. Raises PanhuoError without enterprises."""
    columns = {"enterprises": None, "occupancies": None, "parcels": PARCELS.names}
    tables = {name: ws.dataset(name, columns=fields) for name, fields in columns.items()}
    if tables["enterprises"] is None:
        raise PanhuoError(
            "工作区里没有企业 the workspace holds no enterprises",
            where=str(ws.root),
            remedy="先导入：panhuo import 工作区 文件 --as enterprises import them first",
        )
    return {name: table for name, table in tables.items() if table is not None}


def _names(firms: pa.Table) -> dict[str, str]:
    """Firm → its name in the last row that has one."""
    return {
        row["enterprise_id"]: row["name"]
        for row in firms.select(["enterprise_id", "name"]).to_pylist()
        if row["name"]
    }


def _rows(table: pa.Table, names: Mapping[str, str], kind: str) -> list[dict[str, Any]]:
    """Rows with the firm's name, in the columns of a kind."""
    told = (row | {"name": names.get(row["enterprise_id"])} for row in table.to_pylist())
    return [{column: row[column] for column in COLUMNS[kind]} for row in told]


def _differ(table: pa.Table) -> pa.Array:
    """Where the two tiers of a row are not the same; none on both sides is the same."""
    one, other = (pc.fill_null(table[name], "") for name in ("tier_before", "tier_after"))
    return pc.not_equal(one, other)


def _held_to(path: Path, schemes: list[Scheme], scores: pa.Table, names: Mapping[str, str]) -> dict[str, Any]:
    """What a published list gives again: {firms, compared, same, share, moves, differing, without_tier, not_here}."""
    known: dict[str, list[str]] = {}
    for firm in scores["enterprise_id"].to_pylist():
        for word in {whole_name(firm), whole_name(names.get(firm, ""))} - {""}:
            known.setdefault(word, []).append(firm)
    listed, strange = read_published(path, schemes, known)
    share, rows = backtest(scores, listed)
    tiered = rows.filter(pc.is_valid(rows["tier_after"]))
    differing = tiered.filter(_differ(tiered))
    return {
        "firms": listed.num_rows + len(strange),
        "compared": tiered.num_rows,
        "same": tiered.num_rows - differing.num_rows,
        "share": share,
        "moves": moves(tiered).to_pylist(),
        "differing": _rows(differing, names, "published"),
        "without_tier": rows.num_rows - tiered.num_rows,
        "not_here": strange,
    }


def _firmness(
    asked: Iterable[tuple[Scheme, Inputs]], noise: float, names: Mapping[str, str]
) -> dict[str, Any]:
    """How often tiers stay when figures are off: {noise, draws, tiers: {tier: mean share}, rows}, shakiest first."""
    table = pa.concat_tables(stability(inputs, rule, noise=noise) for rule, inputs in asked)
    table = table.filter(pc.is_valid(table["kept"])).sort_by(
        [("kept", "ascending"), ("enterprise_id", "ascending")]
    )
    means = table.group_by("tier").aggregate([("kept", "mean")]).sort_by("tier").to_pylist()
    return {
        "noise": noise,
        "draws": DRAWS,
        "tiers": {row["tier"]: row["kept_mean"] for row in means},
        "rows": _rows(table, names, "firmness"),
    }


def _counts(scores: pa.Table, schemes: Iterable[Scheme]) -> dict[str, int]:
    """Tier → firms, in the order of the schemes; "" for those without one."""
    order = dict.fromkeys(
        tier for s in schemes for tier in (*s.tiers, *(c.tier for c in s.classes.values() if c.tier))
    )
    counted = pc.value_counts(pc.fill_null(scores["tier"], "")).to_pylist()
    numbers = {row["values"]: row["counts"] for row in counted}
    return {tier: numbers[tier] for tier in (*order, "") if tier in numbers}


def _schemes(book: Rulebook, asked: Iterable[tuple[Scheme, Scheme, Inputs]]) -> list[dict[str, Any]]:
    """Each scheme with its law, how many cities' firms it ranks, and what its indicators count for, as changed too."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for rule, new, inputs in asked:
        one = found.setdefault(
            (rule.id, rule.parameters), _scheme(book, rule, new) | {"cities": 0, "firms": 0}
        )
        one["cities"] += 1
        one["firms"] += pc.count_distinct(inputs.enterprises["enterprise_id"]).as_py()
    return list(found.values())


def _scheme(book: Rulebook, rule: Scheme, new: Scheme) -> dict[str, Any]:
    return {
        "scheme": rule.id,
        "label": both(rule.label),
        "law": scheme_chain(book, rule),
        "assumed": {what: both(why) for what, why in rule.assumed.items()},
        "groups": {g: both(group.label) for g, group in rule.groups.items()},
        "indicators": [
            {"group": g, "indicator": name, "label": both(one.label), "unit": one.unit, **_stands(one),
             "changed": {k: v for k, v in _stands(new.groups[g].indicators[name]).items() if v != _stands(one)[k]}}
            for g, group in rule.groups.items()
            for name, one in group.indicators.items()
        ],
    }  # fmt: skip


def group_labels(schemes: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, str]]:
    """Group → its label."""
    return {g: label for one in schemes for g, label in one["groups"].items()}


def _stands(one: Indicator) -> dict[str, Any]:
    """Weight, base (a number, or the kind of mean or `values` it is) and cap of an indicator."""
    base = one.base.mean or ("values" if one.base.values else one.base.value)
    return {"weight": one.weight, "base": base, "cap": one.cap}


def _sheets(
    found: Mapping[str, Any], groups: Mapping[str, Mapping[str, str]], lang: str
) -> dict[str, pa.Table]:
    """What was asked for, a sheet each, headed in a language."""
    published, firmness = found["published"], found["firmness"]
    labels = {g: label[lang] for g, label in groups.items()}
    rows = {
        "scores": [row | {"group_id": labels.get(row["group_id"])} for row in found["scores"]],
        "moved": found["moved"],
        "published": published and published["differing"],
        "firmness": firmness and firmness["rows"],
    }
    return {
        SHEETS[kind][lang]: pa.table(
            {
                head: pa.array([row[column] for row in listed])
                for head, column in zip(HEADS[kind][lang], COLUMNS[kind], strict=True)
            }
        )
        for kind, listed in rows.items()
        if listed is not None
    }
