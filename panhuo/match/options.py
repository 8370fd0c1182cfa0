"""Tools judged clause by clause over every parcel that has a finding they address."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from panhuo.diagnose.findings import Diagnosis
from panhuo.rulebook.evaluate import VERDICT, render
from panhuo.rulebook.facts import Law, connect
from panhuo.rulebook.patterns import FALSE, TRUE, TRUTH, Bytes, coded, distinct, truths, word_numbers
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
STATUSES: Final = ("open", "check", "closed")
"""The order in which tools are ranked before their fit."""
MOST_PRECEDENTS: Final = 3


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


def match(diagnosis: Diagnosis, law: Law, precedents: Mapping[str, Precedent], threads: int = 1) -> pa.Table:
    """The options table: for each parcel or batch every tool that addresses one of its findings, ranked.

    A finding adds the weight of its severity ($match.severity_weight) to the fit of each tool that addresses it; an
    unknown finding offers the tool but adds nothing.
    """
    units, begin = diagnosis.units, 0
    parts: list[pa.Table] = []
    for facts in (diagnosis.facts, diagnosis.batch_facts):
        if facts.num_rows:
            offered = _verdicts(facts, diagnosis.not_assessed, law, precedents)
            parts.append(_ranked(*offered, sorted(law.book.tools), units, begin))
            begin += facts.num_rows
    return pa.concat_tables(parts).unify_dictionaries() if parts else OPTIONS.empty_table()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a tool is to a parcel, worked out once for each pattern of truths."""

    status: str
    fit: float
    because: str
    precedents: str


def _verdicts(
    facts: pa.Table,
    unjudged: Collection[str],
    law: Law,
    precedents: Mapping[str, Precedent],
) -> tuple[NDArray[np.int32], list[Verdict]]:
    """(number of each verdict, units × tools by id, the verdicts); −1 where no finding offers the tool."""
    columns = set(facts.column_names)
    live = {
        tool_id: addressed
        for tool_id, tool in sorted(law.book.tools.items())
        if law.book.in_force(tool, law.as_of)
        and (addressed := [finding for finding in tool.addresses if VERDICT + finding in columns])
    }
    asked = [VERDICT + finding for addressed in live.values() for finding in addressed]
    asked += [f"({render(law, c.item.when)})" for tool_id in live for c in clauses(law.book.tools[tool_id])]
    truth = clause_truths(facts, asked)
    numbers = np.full((facts.num_rows, len(law.book.tools)), -1, dtype=np.int32)
    found: dict[Verdict, int] = {}
    for place, tool_id in enumerate(sorted(law.book.tools)):
        if tool_id not in live:
            continue
        # A rule that could not be judged in this run is unknown for every parcel: only what is certain offers a tool.
        offers = [
            truth[VERDICT + f] == TRUE if f in unjudged else truth[VERDICT + f] != FALSE
            for f in live[tool_id]
        ]
        rows = np.flatnonzero(np.logical_or.reduce(offers))
        names = [VERDICT + f for f in live[tool_id]]
        names += [f"({render(law, c.item.when)})" for c in clauses(law.book.tools[tool_id])]
        pattern, first = distinct((truth[name][rows] for name in names), len(rows))
        verdicts = [
            _verdict(
                tuple(int(truth[name][rows[at]]) for name in names), tool_id, live[tool_id], law, precedents
            )
            for at in first
        ]
        numbered = [found.setdefault(verdict, len(found)) for verdict in verdicts]
        numbers[rows, place] = np.array(numbered, dtype=np.int32)[pattern]
    return numbers, list(found)


def clause_truths(facts: pa.Table, predicates: Iterable[str]) -> dict[str, Bytes]:
    """The truth of each predicate (DuckDB text) in every row of `facts`, each distinct text judged once."""
    texts = list(dict.fromkeys(predicates))
    con = connect(1)
    con.register("facts", facts)
    columns = ", ".join(f"CAST({text} AS BOOLEAN) AS c{n}" for n, text in enumerate(texts))
    found = con.sql(f"SELECT {columns} FROM facts").to_arrow_table()
    con.close()
    return {text: truths(found[f"c{n}"]) for n, text in enumerate(texts)}


def _ranked(
    numbers: NDArray[np.int32], verdicts: Sequence[Verdict], tools: Sequence[str], units: pa.Array, begin: int
) -> pa.Table:
    """The rows of the options table: each unit's tools by status, fit and id.

    A verdict's standing and its tool make one whole number, so that a row of numbers sorts into the ranking.
    """
    places = {key: n for n, key in enumerate(sorted({(STATUSES.index(v.status), -v.fit) for v in verdicts}))}
    standing: NDArray[np.int32] = np.array(
        [places[STATUSES.index(v.status), -v.fit] for v in verdicts] + [len(places)], np.int32
    )
    keys = np.sort(standing[numbers] * len(tools) + np.arange(len(tools), dtype=np.int32), axis=1)
    row, rank = np.nonzero(keys < len(places) * len(tools))
    tool = np.asarray(keys[row, rank] % len(tools), dtype=np.int32)
    number = numbers[row, tool]

    def of_verdict(texts: Iterable[str]) -> pa.DictionaryArray:
        where, words = word_numbers(list(texts))
        return coded(where[number], words)

    return pa.table(
        {
            "parcel_id": coded(row + begin, units),
            "tool_id": coded(tool, tools),
            "status": of_verdict(v.status for v in verdicts),
            "fit": np.array([v.fit for v in verdicts], dtype=np.float64)[number],
            "rank": (rank + 1).astype(np.int32),
            "because": of_verdict(v.because for v in verdicts),
            "precedents": of_verdict(v.precedents for v in verdicts),
        }
    )


def _verdict(
    pattern: tuple[int, ...],
    tool_id: str,
    addressed: Sequence[str],
    law: Law,
    precedents: Mapping[str, Precedent],
) -> Verdict:
    """Status, fit, reasons and nearest precedents of one pattern: truths of the findings, then of the clauses."""
    parts = clauses(law.book.tools[tool_id])
    held = [f for f, truth in zip(addressed, pattern, strict=False) if truth == TRUE]
    known = [TRUTH[truth] for truth in pattern[len(addressed) :]]
    status, fit = judge_clauses(parts, known)
    if status == "open" and not held:
        status = "check"  # nothing it addresses is certain yet
    weights: Mapping[str, float] = law.book.parameter("match.severity_weight", law.as_of).value
    fit += sum(weights[law.book.rules[finding].severity] for finding in held)
    because = [
        {"clause": part.id, "value": truth, "zh": part.item.because.zh, "en": part.item.because.en}
        for part, truth in zip(parts, known, strict=True)
        if _tells(part, truth)
    ]
    return Verdict(
        status,
        fit,
        json.dumps(because, ensure_ascii=False, separators=(",", ":")),
        ",".join(nearest(tool_id, held, precedents)),
    )


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
