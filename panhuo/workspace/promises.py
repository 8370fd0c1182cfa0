"""What contracts of a workspace promise and what came of it: milestones, figures (达产复核), and what follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.measure.lifecycle import milestones
from panhuo.measure.promises import (
    actual_figures,
    consequences,
    contract_promises,
    promised_figures,
)
from panhuo.report.chain import both
from panhuo.rulebook import Rulebook
from panhuo.rulebook.calendar import work_calendar
from panhuo.rulebook.judged import opened
from panhuo.rulebook.scheme import governing, load_schemes
from panhuo.rulebook.scheme_schema import AdmissionScheme, LifecycleScheme

STATES: Final = {
    "missed": {"zh": "未兑现", "en": "Missed"},
    "unknown": {"zh": "情况不明", "en": "Not known"},
    "not_due": {"zh": "未到期", "en": "Not due"},
    "kept": {"zh": "已兑现", "en": "Kept"},
}
"""States of a promised figure, the gravest first."""

BECAUSE: Final = {
    "no_area": {"zh": "宗地面积不明", "en": "the area of the parcel is not known"},
    "no_firm": {"zh": "不知哪家企业在用", "en": "nobody knows which firm uses the parcel"},
    "several_firms": {"zh": "几家企业共用或出租", "en": "several firms share the parcel, or it is let out"},
    "part_of_year": {"zh": "企业用地不足一年", "en": "the firm was on it for a part of the year"},
    "other_land": {"zh": "企业另有用地，数据分不开", "en": "the firm uses other land too"},
    "no_figures": {"zh": "缺数据", "en": "no figures"},
}
"""Why nobody can tell whether a promise was kept."""

SUBJECTS: Final = """
SELECT contract_no, milestone AS subject, 'milestone' AS subject_kind, state, days, NULL::DOUBLE AS short FROM found
UNION ALL SELECT contract_no, measure, 'figure', state, NULL, short FROM figures
"""


@dataclass(frozen=True)
class Promises:
    """`milestones` and `figures` as panhuo.measure gives them, `follows` what the scheme says of either; `bars` holds
    the criteria, None where no admission scheme is in force (then nothing is known to be promised)."""

    milestones: pa.Table
    figures: pa.Table
    follows: pa.Table
    bars: AdmissionScheme | None


def promises_of(
    book: Rulebook, rule: LifecycleScheme, tables: Mapping[str, pa.Table | None], place: str, on: date
) -> Promises:
    """The promises of contracts on a date.

    tables: contracts; parcels, occupancies and enterprises of the workspace (see panhuo.measure.promises.READ).
    """
    contracts, calendar = tables["contracts"], work_calendar(book)
    assert contracts is not None
    found = milestones(contracts, rule, calendar, on)
    bars = measures(book, place, on)
    if bars is None:
        return Promises(found, pa.table({}), pa.table({}), None)
    promised = contract_promises(contracts, bars, found)
    mine = contracts.filter(pc.is_in(contracts["contract_no"], promised["contract_no"]))
    figures = promised_figures(promised, actual_figures({**tables, "contracts": mine}, bars, calendar, on))
    subjects = opened(found=found, figures=figures).execute(SUBJECTS).to_arrow_table()
    return Promises(found, figures, consequences(subjects, bars), bars)


def measures(book: Rulebook, place: str, on: date) -> AdmissionScheme | None:
    """The admission scheme of a place, and with it the criteria of others that it lacks: a contract may promise what
    the place sets no bar for, and it is measured alike. None where no scheme is in force."""
    bars = governing(book, AdmissionScheme, place, on)
    if bars is None:
        return None
    others = (one.criteria for one in load_schemes(book, AdmissionScheme).values())
    known = {name: criterion for criteria in others for name, criterion in criteria.items()}
    return bars.model_copy(update={"criteria": known | bars.criteria})


def in_words(found: Promises) -> list[dict[str, Any]]:
    """The promised figures in words, the missed first: rows with `label`, `words` of the state, `why` it is unknown (or
    None) and the labels of what `follows`."""
    if found.bars is None:
        return []
    ahead: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in found.follows.to_pylist():
        words = {lang: row[lang] for lang in ("zh", "en")}
        ahead.setdefault((row["contract_no"], row["subject"]), []).append(words)
    rows = [
        {
            **row,
            "label": both(found.bars.criteria[row["measure"]].label),
            "words": STATES[row["state"]],
            "why": BECAUSE.get(row["because"] or ""),
            "follows": ahead.get((row["contract_no"], row["measure"]), []),
        }
        for row in found.figures.to_pylist()
    ]
    order = list(STATES)
    return sorted(rows, key=lambda row: (order.index(row["state"]), -(row["short"] or 0)))


def by_measure(found: Promises) -> dict[str, dict[str, Any]]:
    """Measure promised by any contract → its label and how many promises stand in each state."""
    if found.bars is None:
        return {}
    numbers = {
        (row["measure"], row["state"]): row["count_all"]
        for row in found.figures.group_by(["measure", "state"]).aggregate([([], "count_all")]).to_pylist()
    }
    return {
        name: {"label": both(one.label), "states": states}
        for name, one in found.bars.criteria.items()
        if (states := {state: numbers[name, state] for state in STATES if (name, state) in numbers})
    }
