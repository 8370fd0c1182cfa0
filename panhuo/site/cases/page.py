"""What the page of a case shows, gathered from its course."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from django.utils import timezone

from panhuo.dispose.admission import confirmations
from panhuo.dispose.course import CaseFile, Check, Course, Reason, Standing
from panhuo.rulebook.evaluate import VERDICT
from panhuo.rulebook.facts import AS_OF
from panhuo.rulebook.procedure import Step
from panhuo.rulebook.schema import Label
from panhuo.site import gate
from panhuo.site.cases import facts, offered, papers, roles
from panhuo.site.cases.models import Case, Doing, standing
from panhuo.site.parcel.story import of_parcel
from panhuo.site.words import pick

PLACES: Final = frozenset({"undo", "state", "another"})
"""Where on the page, beside at a step or a fact, a fault is told."""


def context(person: Any, case: Case, file: CaseFile, now: Course) -> dict[str, Any]:
    """Everything of the page but the case itself."""
    done = list(case.doings.select_related("by", "undone_by", "case").prefetch_related("files"))
    by_step: dict[str, list[Doing]] = {}
    for doing in done:
        if doing.undone_at is None:
            by_step.setdefault(doing.step, []).append(doing)
    steps = [_line(person, case, now, s, by_step.get(s.step.id, [])) for s in now.steps]
    left = [s for s in now.steps if s.needed]
    return {
        "steps": [line for line in steps if line["state"] != "closed"],
        "shut": [line for line in steps if line["state"] == "closed"],
        "open": [line for line in steps if line["state"] == "open"],
        "counts": {"done": len(by_step), "left": len(left)},
        "next_due": now.next_due,
        "events": events(case, done),
        "places": {line["step"].id for line in steps if line["state"] != "closed"} | PLACES,
        "last": standing(case.doings).last(),
        "may_undo": _may_undo(person, case),
        "unknown": [facts.control(name) for name in _unknown(now)],
        "facts": _facts(case, file),
        "notices": papers.offered(case, file),
        "burdens": of_parcel("encumbrances", case.parcel_id),
        "after": offered.after(case),
        "beside": offered.beside(case),
        "children": case.children.all(),
        "today": timezone.localdate(),
    }


def _line(person: Any, case: Case, now: Course, held: Standing, doings: Sequence[Doing]) -> dict[str, Any]:
    step, chain = held.step, case.procedure.chain(held.step.id)
    inner = chain is not None and step.id != chain.steps[0]
    together = [now.of(name) for name in chain.steps] if chain else [held]
    ours = case.state == "running" and held.state == "open" and not inner
    role = case.procedure.roles[step.role]
    late = held.due.late and held.state != "closed" and not (step.optional and not held.called and not doings)
    return {
        "step": step,
        "label": pick(step.label.zh, step.label.en),
        "state": held.state,
        "role": pick(role.zh, role.en),
        "approval": roles.needs(case.procedure, step) == "decide",
        "optional": step.optional and not held.called,
        "why": [_reason(reason) for reason in held.why if reason.kind != "ended"],
        "due": held.due,
        "late": late,
        "days_left": (held.due.due - timezone.localdate()).days if held.due.due else None,
        "days_late": max(0, (timezone.localdate() - held.due.due).days) if held.due.due else 0,
        "checks": [_check(check) for check in held.checks],
        "doings": doings,
        "may_do": ours and all(roles.may_do(person, case.procedure, s.step) for s in together),
        "chain": chain if not inner else None,
        "inner": inner,
        "together": [s.step for s in together],
        "outcomes": [(s.step, _ways(s)) for s in together if s.step.outcomes],
        "ticks": _ticks(confirmations(case.procedure, {s.step.id: "" for s in together})) if ours else [],
    }


def _ticks(asked: Mapping[str, Label]) -> list[tuple[str, str]]:
    """(key, words) of what is to be confirmed."""
    return [(key, pick(words.zh, words.en)) for key, words in asked.items()]


def _ways(held: Standing) -> list[dict[str, Any]]:
    """The outcomes of a step, each with what bars it and what is confirmed for it."""
    return [
        {
            "id": name,
            "label": pick(way.label.zh, way.label.en),
            "barred": [
                _check(c) for c in held.ways[name] if c.truth is not None and c.truth.holds is not True
            ],
            "ticks": _ticks({c.key: c.guard.because for c in held.ways[name] if c.truth is None}),
        }
        for name, way in held.step.outcomes.items()
    ]


def _check(check: Check) -> dict[str, Any]:
    words = check.guard.because
    state = (
        "tick" if check.truth is None else {True: "holds", False: "fails", None: "unknown"}[check.truth.holds]
    )
    missing = check.truth.missing if check.truth else ()
    return {
        "words": pick(words.zh, words.en), "state": state, "missing": ",".join(missing), "cites": check.guard.cites,
    }  # fmt: skip


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "kind": reason.kind,
        "words": pick(reason.words.zh, reason.words.en),
    }


def _unknown(now: Course) -> list[str]:
    """The facts that keep a step or an outcome of what is on hand from being judged."""
    on_hand = [s for s in now.steps if s.state in ("open", "held", "waiting")]
    checks = [c for s in on_hand for c in (*s.checks, *(c for way in s.ways.values() for c in way))]
    return list(
        dict.fromkeys(n for c in checks if c.truth and c.truth.holds is None for n in c.truth.missing)
    )


def _facts(case: Case, file: CaseFile) -> list[dict[str, Any]]:
    """The facts the guards speak of and those the case settles, each with where it comes from."""
    named = sorted(facts.guarded(case.procedure) | file.known.keys())
    return [
        {
            "name": name,
            "value": facts.shown(name, file.known.get(name, file.facts.get(name))),
            "unit": facts.unit(name),
            "from_case": name in file.known,
        }
        for name in named
        if name != AS_OF and not name.startswith(VERDICT)
    ]


def _may_undo(person: Any, case: Case) -> bool:
    last = standing(case.doings).last()
    if last is None or case.state == "closed":
        return False
    step: Step = case.procedure.step((last.head or last).step)
    return gate.may(person, roles.needs(case.procedure, step))


def events(case: Case, done: Sequence[Doing]) -> list[dict[str, Any]]:
    """What happened to the case, the latest first."""
    told: list[dict[str, Any]] = [{"kind": "opened", "at": case.at, "by": case.by}]
    told += [{"kind": "done", "at": d.at, "by": d.by, "doing": d} for d in done]
    told += [
        {"kind": "undone", "at": d.undone_at, "by": d.undone_by, "doing": d} for d in done if d.undone_at
    ]
    told += [{"kind": "fact", "at": g.at, "by": g.by, "given": g,
              "value": facts.kept_words(g.fact, g.value)}
             for g in case.given.select_related("by")]  # fmt: skip
    past = list(case.history.select_related("history_user").order_by("history_id"))
    for before, after in pairwise(past):
        if before.state != after.state:
            told.append({"kind": "state", "at": after.history_date, "by": after.history_user, "case": after})
    return sorted(told, key=lambda e: e["at"], reverse=True)
