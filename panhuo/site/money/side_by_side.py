"""Tools of a parcel side by side on screen, with the inputs as edited and what the edit changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from panhuo.appraise.appraisal import Appraisal
from panhuo.appraise.cashflow import PARTIES
from panhuo.appraise.compare import Comparison, compare, public_npv
from panhuo.appraise.inputs import money_spec
from panhuo.appraise.run import Case
from panhuo.core.problems import PanhuoError
from panhuo.rulebook import Rulebook
from panhuo.site import labels
from panhuo.site.words import pick

Row = dict[str, Any]
RUNS: Final = 200
MEASURES: Final = (
    ("cash_wan", "现金净额", "Net cash"),
    ("npv_wan", "净现值", "NPV"),
    ("tax_wan", "税费", "Taxes"),
    ("peak_exposure_wan", "最大垫付", "Peak exposure"),
)


def weigh(case: Case, before: Case, tools: Sequence[str], book: Rulebook) -> Row:
    """Everything the page shows: parties × tools, years × tools, each tool's flows, differences, what hangs on what."""
    found = compare(case, tools, book, runs=RUNS)
    earlier = (
        {a.tool_id: a for a in compare(before, tools, book).appraisals} if before.given != case.given else {}
    )
    return {
        "tools": [_tool(found, a) for a in found.appraisals],
        "parties": list(_parties(found, earlier)),
        "differences": [pick(d["zh"], d["en"]) for d in found.differences()],
        "refused": [
            {"tool_id": tool, "needs": [_choice(need) for need in needs]}
            for tool, needs in found.refused.items()
        ],
        "needed": {n for needs in found.refused.values() for need in needs for n in _parts(need)},
        "no_model": found.no_model,
        "edited": bool(earlier),
    }


def _parts(need: str) -> list[str]:
    return need.replace("+", "|").split("|")


def _choice(need: str) -> list[tuple[str, str]]:
    """What is asked for, as (name, label); any one of a choice will do."""
    spec = money_spec().inputs
    return [(n, pick(spec[n].label.zh, spec[n].label.en)) for n in _parts(need)]


def _parties(found: Comparison, earlier: Mapping[str, Appraisal]) -> Iterable[Row]:
    """For each party that pays or gets anything: measures by tool, and its cash by year and tool."""
    for party in PARTIES:
        held = [a for a in found.appraisals if party in a.totals]
        if not held:
            continue
        years = sorted({f.on.year for a in held for f in a.flows if f.party == party})
        label = money_spec().parties[party]
        yield {
            "label": pick(label.zh, label.en),
            "measures": [
                {
                    "label": pick(zh, en),
                    "cells": [_cell(a, earlier.get(a.tool_id), party, name) for a in found.appraisals],
                }
                for name, zh, en in MEASURES
            ],
            "years": [
                {
                    "year": year,
                    "cells": [
                        sum(f.amount_wan for f in a.flows if f.party == party and f.on.year == year)
                        for a in found.appraisals
                    ],
                }
                for year in years
            ],
        }


def _cell(now: Appraisal, earlier: Appraisal | None, party: Any, name: str) -> Row:
    value = getattr(now.totals[party], name) if party in now.totals else 0.0
    was = getattr(earlier.totals[party], name) if earlier and party in earlier.totals else None
    return {"value": value, "change": round(value - was, 6) if was is not None and was != value else None}


def _tool(found: Comparison, made: Appraisal) -> Row:
    spec = money_spec()
    label = found.labels[made.tool_id]
    swings = [
        {"input": pick(spec.inputs[s.name].label.zh, spec.inputs[s.name].label.en),
         "party": pick(spec.parties[party].zh, spec.parties[party].en),
         "low": s.low, "high": s.high, "npv_low": s.npv_low, "npv_high": s.npv_high, "mark": s.range_mark}
        for party, many in found.swings.get(made.tool_id, {}).items() for s in many[:3]
    ]  # fmt: skip
    return {
        "tool_id": made.tool_id,
        "label": pick(label.zh, label.en),
        "months": made.months,
        "public_npv_wan": public_npv(made),
        "figures": [{"label": pick(spec.figures[n].zh, spec.figures[n].en), "unit": f.unit, "value": f.calc.value,
                     "formula": f.calc.formula} for n, f in made.figures.items()],
        "flows": [{"on": f.on, "party": pick(spec.parties[f.party].zh, spec.parties[f.party].en),
                   "kind": pick(spec.flows[f.kind].label.zh, spec.flows[f.kind].label.en), "amount": f.amount_wan,
                   "formula": f.calc.formula, "law": [(leaf.name, labels.source(leaf.source)) for leaf in f.calc.law],
                   "unverified": bool(f.calc.unverified)} for f in made.flows],
        "notes": [pick(spec.notes[n].zh, spec.notes[n].en) for n in made.notes],
        "risks": [pick(r["zh"], r["en"]) for r in made.risks],
        "swings": sorted(swings, key=lambda s: -abs(s["npv_high"] - s["npv_low"])),
    }  # fmt: skip


def failed(fault: PanhuoError) -> Row:
    """The page's content where an input does not fit."""
    return {"tools": [], "parties": [], "differences": [], "refused": [], "needed": set(), "fault": fault}
