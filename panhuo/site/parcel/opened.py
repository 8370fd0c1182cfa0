"""What stands behind one value: where it was read, how it changed, who corrected it, which findings rest on it."""

import json
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from panhuo.inventory.spec import dataset_spec
from panhuo.site import labels
from panhuo.site.accounts.models import Trail
from panhuo.site.corrections.models import Correction
from panhuo.site.corrections.values import correctable
from panhuo.site.gate import found
from panhuo.site.ledger.models import Publication
from panhuo.site.parcel import firm as firms
from panhuo.site.parcel.models import Attachment
from panhuo.site.records import key_of
from panhuo.site.shelf import Row, rows, shelf
from panhuo.site.words import pick

PAST: Final = 8
"""As many assessments the history looks back on."""
UNTOLD: Final = ("source_file", "source_row", "valid_from", "ended_on")


def versions(dataset: str, key: str) -> list[Row]:
    """Every version of a row that the inventory holds, the oldest first, outlines left out."""
    path = shelf().workspace.dataset_path(dataset)
    if path is None:
        return []
    column = dataset_spec(dataset).key[0]
    return rows(
        f"SELECT COLUMNS(c -> c NOT LIKE 'geometry%'), hash(geometry) AS outline FROM read_parquet(?) "
        f'WHERE "{column}" = ? ORDER BY valid_from, ended_on NULLS LAST'
        if dataset == "parcels"
        else f'SELECT * FROM read_parquet(?) WHERE "{column}" = ? ORDER BY valid_from, ended_on NULLS LAST',
        (str(path), key),
    )


def changes(dataset: str, held: list[Row]) -> list[dict[str, Any]]:
    """What each later version changed: field, was, is."""
    told = []
    for before, after in pairwise(held):
        differing = [
            {
                "field": pick("图形", "Outline") if f == "outline" else labels.field(dataset, f),
                "was": "" if f == "outline" else labels.value(dataset, f, before[f], before),
                "value": pick("已更新", "redrawn")
                if f == "outline"
                else labels.value(dataset, f, after[f], after),
            }
            for f in after
            if f not in UNTOLD and before.get(f) != after[f]
        ]
        told.append({"at": after["valid_from"], "fields": differing, "row": after})
    return told


def changes_by_year(held: list[Row]) -> list[dict[str, Any]]:
    """As `changes`, for an enterprise: a row is changed by a later row of the same year, not by the next year's."""
    by_year: dict[Any, list[Row]] = {}
    for row in held:
        by_year.setdefault(row["year"], []).append(row)
    return [change for rows_ in by_year.values() for change in changes("enterprises", rows_)]


def findings_over_time(parcel_id: str) -> list[dict[str, Any]]:
    """At each of the latest assessments, which findings came and which went."""
    seen: set[str] | None = None
    told = []
    for day, folder in shelf().workspace.past_assessments()[-PAST:]:
        path = folder / "findings.parquet"
        if not path.is_file():
            continue
        held = rows(
            "SELECT DISTINCT finding_id FROM read_parquet(?) WHERE parcel_id = ? AND status = 'yes'",
            (str(path), parcel_id),
        )
        now = {r["finding_id"] for r in held}
        came, went = sorted(now - (seen or set())), sorted((seen or set()) - now)
        if came or went:
            told.append({"at": day, "came": came, "went": went})
        seen = now
    return told


def _day(at: Any) -> datetime:
    """A moment to sort by: a day counts from its beginning."""
    if isinstance(at, datetime):
        return timezone.localtime(at)
    return timezone.make_aware(datetime(at.year, at.month, at.day))


def history(dataset: str, subject: str) -> list[dict[str, Any]]:
    """Everything that happened to a parcel or an enterprise, the latest first: imports, corrections, files,
    publication, findings or scores."""
    held = versions(dataset, subject)
    events: list[dict[str, Any]] = [
        {"kind": "taken", "at": r["valid_from"], "row": r} for r in held[:1] if r["valid_from"]
    ]
    firm = dataset == "enterprises"
    changed = changes_by_year(held) if firm else changes(dataset, held)
    events += [{"kind": "changed", **c} for c in changed if c["at"] and c["fields"]]
    if firm:
        events += [{"kind": "scored", "at": s["as_of"], "score": s} for s in firms.scores_over_time(subject)]
    else:
        events += [{"kind": "found", **f} for f in findings_over_time(subject)]
    corrected = Correction.objects.filter(_corrections_of(dataset, subject)).select_related(
        "by", "decided_by"
    )
    for c in corrected:
        events.append({"kind": "proposed", "at": c.at, "correction": c})
        if c.decided_at:
            events.append({"kind": "decided", "at": c.decided_at, "correction": c})
    filed = Attachment.objects.filter(dataset=dataset, subject=subject, correction=None).select_related("by")
    events += [{"kind": "filed", "at": f.at, "file": f} for f in filed]
    if not firm:
        shown = Publication.objects.filter(parcel_id=subject).select_related("by")
        events += [{"kind": "published", "at": p.at, "by": p.by} for p in shown]
    told = ("file.attach", "correction.propose", "correction.approve", "correction.refuse")
    acts = Trail.objects.filter(subject=subject).exclude(what__in=told)[:50]
    events += [{"kind": "act", "at": t.at, "act": t} for t in acts]
    return sorted(events, key=lambda e: _day(e["at"]), reverse=True)


def _corrections_of(dataset: str, subject: str) -> Q:
    """The corrections that a page tells of: of an enterprise's years, or of a parcel and its contracts."""
    if dataset == "enterprises":
        return Q(dataset=dataset, key__startswith=f"{subject}|")
    numbers = [
        r["contract_no"] for r in rows("SELECT contract_no FROM contracts WHERE parcel_id = ?", (subject,))
    ]
    return Q(dataset=dataset, key=subject) | Q(dataset="contracts", key__in=numbers)


def value(dataset: str, key: str, row: Row, name: str) -> dict[str, Any]:
    """The chain behind one value of a row, `key` its first key. 404 for a field the dataset does not have."""
    spec = found(dataset_spec(dataset).fields.get(name))
    held = versions(dataset, key)
    taken = {i["file"]: i for i in shelf().workspace.manifest().get("imports", []) if "file" in i}
    resting = (
        [f for f in rows("SELECT finding_id, status, evidence FROM findings WHERE parcel_id = ?", (key,))
         if name in json.loads(f["evidence"] or "{}")]
        if dataset == "parcels"
        else []
    )  # fmt: skip
    return {
        "dataset": dataset,
        "name": name,
        "spec": spec,
        "value": row.get(name),
        "row": row,
        "import": taken.get(row.get("source_file")),
        "versions": [v for v in held if name in v],
        "key": key_of(dataset, row),
        "correctable": name in correctable(dataset),
        "corrections": Correction.objects.filter(
            dataset=dataset, key=key_of(dataset, row), field=name
        ).select_related("by", "decided_by"),
        "resting": resting,
        "snapshot": shelf().key.split("+"),
    }
