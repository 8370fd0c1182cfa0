"""The tools of one parcel side by side: per party, in words, with what the result hangs on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa

from panhuo.appraise.appraisal import Appraisal
from panhuo.appraise.cashflow import PARTIES, Party, peak_exposure
from panhuo.appraise.inputs import money_spec
from panhuo.appraise.law import Law
from panhuo.appraise.money import total
from panhuo.appraise.nothing import doing_nothing
from panhuo.appraise.run import Case, MissingInputsError, evaluate, model_files, model_of, prepare
from panhuo.appraise.sensitivity import Spread, Swing, monte_carlo, spreads, tornado
from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.schema import Label

APPRAISALS = pa.schema(
    [("parcel_id", pa.string()), ("tool_id", pa.string()), ("party", pa.string())]
    + [(name, pa.float64()) for name in ("cash_wan", "npv_wan", "tax_wan", "peak_exposure_wan", "months")]
    + [("risk", pa.string()), ("unverified", pa.string())]
)


@dataclass(frozen=True)
class Comparison:
    """Tools appraised side by side; `refused` holds, by tool, what was asked for and not there."""

    case: Case
    nothing: Appraisal | None
    appraisals: tuple[Appraisal, ...]
    refused: Mapping[str, tuple[str, ...]]
    no_model: tuple[str, ...]
    swings: Mapping[str, Mapping[Party, Sequence[Swing]]]
    chances: Mapping[str, Mapping[Party, Spread]]
    labels: Mapping[str, Label]

    def differences(self) -> list[dict[str, str]]:
        """The decisive differences between neighbouring tools in the order compared, in words."""
        return [
            words
            for first, second in pairwise(self.appraisals)
            for words in _differences(first, second, self.labels)
        ]

    def as_dict(self) -> dict[str, Any]:
        """The whole chain; same inputs, law, date and seed give the same bytes."""
        return {
            "parcel_id": self.case.parcel_id,
            "on": self.case.on.isoformat(),
            "place": self.case.place,
            "nothing": self.nothing.as_dict() if self.nothing else None,
            "tools": [a.as_dict() | {"public_npv_wan": public_npv(a)} for a in self.appraisals],
            "refused": {tool: list(names) for tool, names in self.refused.items()},
            "no_model": list(self.no_model),
            "differences": self.differences(),
            "sensitivity": {
                tool: {party: [asdict(s) for s in swings] for party, swings in parties.items()}
                for tool, parties in self.swings.items()
            },
            "monte_carlo": {
                tool: {party: asdict(spread) for party, spread in parties.items()}
                for tool, parties in self.chances.items()
            },
        }

    def table(self) -> pa.Table:
        """The appraisals result table (spec/results/appraisals.yaml)."""
        return appraisal_table(self.appraisals)


def compare(
    case: Case, tools: Sequence[str], rulebook: Rulebook, *, runs: int = 0, seed: int = 0
) -> Comparison:
    """Appraises `tools` for one case. With `runs` > 0 each gets a tornado and a seeded Monte Carlo per party."""
    appraisals: list[Appraisal] = []
    refused: dict[str, tuple[str, ...]] = {}
    swings: dict[str, dict[Party, Sequence[Swing]]] = {}
    chances: dict[str, Mapping[Party, Spread]] = {}
    known = [tool for tool in tools if model_of(tool, rulebook)]
    for tool in known:
        try:
            model_id, inputs = prepare(tool, case, rulebook)
        except MissingInputsError as fault:
            refused[tool] = tuple(fault.missing)
            continue
        found = evaluate(tool, model_id, inputs, case, rulebook)
        appraisals.append(found)
        if runs:
            ranges = spreads(inputs, Law(rulebook, case.place), case.on)
            again = _again(tool, model_id, case, rulebook)
            swings[tool] = {party: tornado(inputs, party, again, ranges) for party in found.totals}
            chances[tool] = monte_carlo(inputs, list(found.totals), again, ranges, runs, seed)
    try:
        nothing = doing_nothing(case, rulebook)
    except PanhuoError:
        nothing = None
    unknown = tuple(tool for tool in tools if tool not in known)
    labels = {a.tool_id: _label(a, rulebook) for a in appraisals}
    return Comparison(case, nothing, tuple(appraisals), refused, unknown, swings, chances, labels)


def _label(appraisal: Appraisal, rulebook: Rulebook) -> Label:
    """The name of the tool, or of its model for a deal that is no tool of its own."""
    tool = rulebook.tools.get(appraisal.tool_id)
    return tool.label if tool else model_files(rulebook.root)[appraisal.model_id].label


def _again(tool: str, model_id: str, case: Case, rulebook: Rulebook) -> Any:
    return lambda inputs: evaluate(tool, model_id, inputs, case, rulebook)


PUBLIC: Final[tuple[Party, ...]] = ("government", "platform")


def public_npv(appraisal: Appraisal) -> float:
    """NPV [万元] of the public purse: government and platform company together."""
    return total(t.npv_wan for party, t in appraisal.totals.items() if party in PUBLIC)


def public_outlay(appraisal: Appraisal) -> float:
    """The most the public purse is ever out of pocket [万元]; payments between its two pockets cancel."""
    return peak_exposure((f.on, f.amount_wan) for f in appraisal.flows if f.party in PUBLIC)


def appraisal_table(appraisals: Sequence[Appraisal]) -> pa.Table:
    """Rows of the appraisals result table, one per tool and party."""
    notes = money_spec().notes
    rows = [
        {
            "parcel_id": a.parcel_id,
            "tool_id": a.tool_id,
            "party": party,
            "cash_wan": t.cash_wan,
            "npv_wan": t.npv_wan,
            "tax_wan": t.tax_wan,
            "peak_exposure_wan": t.peak_exposure_wan,
            "months": a.months,
            "risk": "；".join([r["zh"] for r in a.risks] + [notes[n].zh for n in a.notes]),
            "unverified": ",".join(sorted({leaf.name for leaf in a.leaves if leaf.unverified})),
        }
        for a in appraisals
        for party, t in a.totals.items()
    ]
    return pa.Table.from_pylist(rows, schema=APPRAISALS)


def _differences(first: Appraisal, second: Appraisal, labels: Mapping[str, Label]) -> list[dict[str, str]]:
    """For each party whose cash differs: who is better off by how much, and the flow that decides it."""
    words: list[dict[str, str]] = []
    spec, better, than = money_spec(), labels[first.tool_id], labels[second.tool_id]
    for party in PARTIES:
        gap = total([first.of(party), -second.of(party)])
        if gap == 0:
            continue
        kinds = sorted({f.kind for f in (*first.flows, *second.flows) if f.party == party})
        moves = {kind: total([first.of(party, kind), -second.of(party, kind)]) for kind in kinds}
        main = max(moves, key=lambda kind: (abs(moves[kind]), kind))
        doubtful = any(
            f.calc.unverified for f in (*first.flows, *second.flows) if f.party == party and f.kind == main
        )
        who, what = spec.parties[party], spec.flows[main].label
        mark_zh, mark_en = ("（依据未核实）", " (unverified)") if doubtful else ("", "")
        words.append(
            {
                "better": first.tool_id,
                "than": second.tool_id,
                "party": party,
                "zh": f"{who.zh}：“{better.zh}”比“{than.zh}”现金净额"
                f"{'多' if gap > 0 else '少'} {abs(gap):g} 万元，"
                f"主要在{what.zh}（差 {moves[main]:+g} 万元）{mark_zh}",
                "en": f"{who.en}: “{better.en}” nets {gap:+g} 万元 against “{than.en}”, "
                f"mainly by {what.en} ({moves[main]:+g} 万元){mark_en}",
            }
        )
    return words
