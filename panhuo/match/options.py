"""Tools judged clause by clause over every parcel that has a finding they address."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.diagnose.findings import Diagnosis
from panhuo.rulebook.evaluate import VERDICT, render
from panhuo.rulebook.facts import Law, connect
from panhuo.rulebook.precedents import Precedent
from panhuo.rulebook.schema import Condition, Favour, Tool

Status = Literal["open", "check", "closed"]

OPTIONS: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("tool_id", pa.string()),
        ("status", pa.string()),
        ("fit", pa.float64()),
        ("rank", pa.int32()),
        ("because", pa.string()),
        ("precedents", pa.string()),
    ]
)
STATUS_ORDER: Final = "CASE status WHEN 'open' THEN 0 WHEN 'check' THEN 1 ELSE 2 END"
MOST_PRECEDENTS: Final = 3
DIGIT: Final = {"1": True, "0": False, "?": None}


@dataclass(frozen=True)
class Clause:
    """One requirement, bar or favour of a tool."""

    id: str
    item: Condition | Favour

    @property
    def kind(self) -> str:
        return self.id.split(".")[0]


def clauses(tool: Tool) -> list[Clause]:
    """Every clause of a tool, in the order of its file."""
    groups: Sequence[tuple[str, Sequence[Condition | Favour]]] = (
        ("requires", tool.requires),
        ("blocked_by", tool.blocked_by),
        ("favoured_by", tool.favoured_by),
    )
    return [Clause(f"{kind}.{n}", item) for kind, items in groups for n, item in enumerate(items)]


def judge_clauses(parts: Sequence[Clause], truths: Sequence[bool | None]) -> tuple[Status, float]:
    """Status and fit of a tool from the truth of its clauses.

    Closed by one failed requirement or one bar that holds; `check` while one of them is unknown; else open. The fit is
    the weight of the favours that hold.
    """
    pairs = list(zip(parts, truths, strict=True))
    required = [truth for part, truth in pairs if part.kind == "requires"]
    barred = [truth for part, truth in pairs if part.kind == "blocked_by"]
    fit = sum(part.item.weight for part, truth in pairs if isinstance(part.item, Favour) and truth)
    if False in required or True in barred:
        return "closed", fit
    return ("check" if None in required or None in barred else "open"), fit


def match(
    diagnosis: Diagnosis, law: Law, precedents: Mapping[str, Precedent], threads: int | None = None
) -> pa.Table:
    """The options table: for each parcel or batch every tool that addresses one of its findings, ranked.

    A finding adds the weight of its severity ($match.severity_weight) to the fit of each tool that addresses it; an
    unknown finding offers the tool but adds nothing.
    """
    con = connect(threads)
    parts: list[pa.Table] = []
    for facts in (diagnosis.facts, diagnosis.batch_facts):
        if facts.num_rows:
            con.register("facts", facts)
            parts += _unit_options(con, set(facts.column_names), diagnosis.not_assessed, law, precedents)
    if not parts:
        return OPTIONS.empty_table()
    con.register("options", pa.concat_tables(parts))
    ranked = f"""SELECT parcel_id, tool_id, status, fit,
        CAST(row_number() OVER (PARTITION BY parcel_id ORDER BY {STATUS_ORDER}, fit DESC, tool_id) AS INTEGER) AS rank,
        because, precedents FROM options ORDER BY parcel_id, rank"""
    table = con.sql(ranked).to_arrow_table().cast(OPTIONS)
    con.close()
    return table


def _unit_options(
    con: duckdb.DuckDBPyConnection,
    columns: Collection[str],
    unjudged: Collection[str],
    law: Law,
    precedents: Mapping[str, Precedent],
) -> list[pa.Table]:
    """The unranked options of every tool in force over the registered table `facts`, judged in one pass."""
    weights: Mapping[str, float] = law.book.parameter("match.severity_weight", law.as_of).value
    live = {
        tool_id: [finding for finding in tool.addresses if VERDICT + finding in columns]
        for tool_id, tool in law.book.tools.items()
        if law.book.in_force(tool, law.as_of)
    }
    live = {tool_id: addressed for tool_id, addressed in live.items() if addressed}
    patterns = (
        f"{_pattern_sql(law.book.tools[tool_id], addressed, unjudged, law)} AS {tool_id}"
        for tool_id, addressed in live.items()
    )
    judged = con.sql(f"SELECT parcel_id, {', '.join(patterns)} FROM facts").to_arrow_table()
    return [
        _tool_options(judged.select(["parcel_id", tool_id]), addressed, law, weights, precedents)
        for tool_id, addressed in live.items()
    ]


def _pattern_sql(tool: Tool, addressed: Sequence[str], unjudged: Collection[str], law: Law) -> str:
    """DuckDB text of one digit per addressed finding and per clause; NULL where no finding offers the tool."""
    # A rule that could not be judged in this run is NULL for every parcel: only its certain findings offer a tool.
    present = " OR ".join(f"{VERDICT}{f} IS {'TRUE' if f in unjudged else 'NOT FALSE'}" for f in addressed)
    truths = [VERDICT + finding for finding in addressed]
    truths += [f"({render(law, part.item.when)})" for part in clauses(tool)]
    digits = (f"CASE {truth} WHEN TRUE THEN '1' WHEN FALSE THEN '0' ELSE '?' END" for truth in truths)
    return f"CASE WHEN {present} THEN {' || '.join(digits)} END"


def _tool_options(
    judged: pa.Table,
    addressed: Sequence[str],
    law: Law,
    weights: Mapping[str, float],
    precedents: Mapping[str, Precedent],
) -> pa.Table:
    """The rows of one tool (the second column, its patterns), unranked. Parcels with the same truth of every clause
    share one verdict: it is written once per pattern, not once per parcel."""
    tool_id = judged.column_names[1]
    rows = judged.filter(pc.is_valid(judged[tool_id]))
    encoded = rows[tool_id].combine_chunks().dictionary_encode()
    parts = clauses(law.book.tools[tool_id])
    verdicts = [
        _pattern(pattern, tool_id, addressed, parts, law, weights, precedents)
        for pattern in encoded.dictionary.to_pylist()
    ]
    schema = pa.schema([f for f in OPTIONS if f.name not in ("parcel_id", "tool_id", "rank")])
    by_pattern = pa.Table.from_pylist(verdicts, schema=schema).take(encoded.indices)
    tool_column = pa.repeat(pa.scalar(tool_id), len(rows))
    return by_pattern.append_column("parcel_id", rows["parcel_id"]).append_column("tool_id", tool_column)


def _pattern(
    pattern: str,
    tool_id: str,
    addressed: Sequence[str],
    parts: Sequence[Clause],
    law: Law,
    weights: Mapping[str, float],
    precedents: Mapping[str, Precedent],
) -> dict[str, object]:
    """Status, fit, reasons and nearest precedents of one pattern of truths."""
    held = [f for f, digit in zip(addressed, pattern, strict=False) if digit == "1"]
    truths = [DIGIT[digit] for digit in pattern[len(addressed) :]]
    status, fit = judge_clauses(parts, truths)
    if status == "open" and not held:
        status = "check"  # nothing it addresses is certain yet
    fit += sum(weights[law.book.rules[finding].severity] for finding in held)
    because = [
        {"clause": part.id, "value": truth, "zh": part.item.because.zh, "en": part.item.because.en}
        for part, truth in zip(parts, truths, strict=True)
        if _tells(part, truth)
    ]
    return {
        "status": status,
        "fit": fit,
        "because": json.dumps(because, ensure_ascii=False, separators=(",", ":")),
        "precedents": ",".join(nearest(tool_id, held, precedents)),
    }


def _tells(part: Clause, truth: bool | None) -> bool:
    """Whether a clause is worth saying: every requirement, a bar that holds or may hold, a favour that holds."""
    if part.kind == "requires":
        return True
    return truth is not False if part.kind == "blocked_by" else bool(truth)


def nearest(tool_id: str, findings: Sequence[str], precedents: Mapping[str, Precedent]) -> list[str]:
    """Precedents that used the tool, the most alike in findings first (Jaccard of the likest parcel), then by id."""
    wanted = set(findings)

    def distance(case_id: str) -> tuple[float, str]:
        parcels = precedents[case_id].findings_expected.values()
        alike = (_jaccard(wanted, {f for f, status in found.items() if status == "yes"}) for found in parcels)
        return -max(alike, default=0.0), case_id

    used = (
        case_id for case_id, case in precedents.items() if any(tool_id == t.tool for t in case.tools_used)
    )
    return sorted(used, key=distance)[:MOST_PRECEDENTS]


def _jaccard(left: set[str], right: set[str]) -> float:
    return len(left & right) / len(left | right) if left | right else 0.0
