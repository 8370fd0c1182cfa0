"""The notices of a case: which there are, what bars each, and its bytes."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone

from panhuo.dispose.course import CaseFile
from panhuo.report.notices import bars, notice_document
from panhuo.rulebook.facts import AS_OF, Law
from panhuo.rulebook.notice import Notice, load_notices
from panhuo.rulebook.truths import Truth, truths
from panhuo.site.cases import facts
from panhuo.site.cases.models import Case, standing
from panhuo.site.labels import rulebook
from panhuo.site.shelf import Row
from panhuo.site.words import pick
from panhuo.workspace.notices import matter_of
from panhuo.workspace.reports import RENDER

BESIDE: Final = ("parcel_id", "division", "holder", "holder_uscc", "land_use_scheme")


def kinds(case: Case) -> dict[str, Notice]:
    """The notices that the steps of a case go with, of those the law has today."""
    known = load_notices(rulebook().root)
    return {kind: known[kind] for step in case.procedure.steps for kind in step.notices if kind in known}


def offered(case: Case, file: CaseFile) -> list[Row]:
    """The notices of a case, each with what bars it."""
    known = kinds(case)
    texts = {guard.when for notice in known.values() for guard in notice.guards if guard.when}
    held, on = facts.held(case.parcel_id, facts.spoken(texts)), timezone.localdate()
    holds = truths(texts, held, {**file.known, AS_OF: on}, Law(rulebook(), on))
    return [
        {
            "kind": kind,
            "label": pick(notice.label.zh, notice.label.en),
            "bars": _bars(notice, holds),
        }
        for kind, notice in known.items()
    ]


def _bars(notice: Notice, holds: Mapping[str, Truth]) -> str:
    """What keeps the notice from being written, in words."""
    return pick("；", "; ").join(pick(words.zh, words.en) for words in bars(notice, holds))


def write(case: Case, file: CaseFile, kind: str, ending: str) -> bytes:
    """A notice of `kinds` as docx or pdf, signed by the office that opened the case. PanhuoError where its conditions
    fail."""
    notice = kinds(case)[kind]
    document = notice_document(notice, _matter(case, file, notice), rulebook())
    return RENDER[f".{ending}"](document)


def _matter(case: Case, file: CaseFile, notice: Notice) -> Any:
    names = facts.behind({*notice.fact_names, *BESIDE}) | facts.spoken(set(notice.predicates))
    held = facts.held(case.parcel_id, names)
    done = before(case)
    return matter_of(
        notice, held, file.known, rulebook(), timezone.localdate(), authority=case.by.office,
        done={step: (d.day, d.outcome_label, d.note) for step, d in done.items()},
        ways={step: d.outcome for step, d in done.items() if d.outcome},
    )  # fmt: skip


def before(case: Case) -> dict[str, Any]:
    """Step → what was done of it, in this case and those it follows."""
    found = before(case.parent) if case.parent and case.link == "follows" else {}
    return found | {d.step: d for d in standing(case.doings).select_related("case")}
