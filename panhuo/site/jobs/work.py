"""The worker: takes queued jobs one at a time and runs them with the same use cases the command line calls.

A job's state lives in the database, so it survives a restart: a job left running whose beat has stopped is taken again
(imports and assessments write all or nothing), three times at most.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from panhuo.core.problems import PanhuoError
from panhuo.core.progress import Tick
from panhuo.site import gate
from panhuo.site.corrections.models import Correction
from panhuo.site.doors.events import announce, deliver_due
from panhuo.site.jobs.imports import check_scope, import_options, map_file, named
from panhuo.site.jobs.models import Job, Upload
from panhuo.site.jobs.reports import work_report
from panhuo.site.maps.archives import ahead_forever
from panhuo.site.money.work import work_adopt, work_plan
from panhuo.site.shelf import shelf
from panhuo.site.survey.models import Visit
from panhuo.site.trail import system_note
from panhuo.workspace.assess import assess
from panhuo.workspace.files import keep_file
from panhuo.workspace.imports import import_files
from panhuo.workspace.law_trial import try_value
from panhuo.workspace.reading import reading_copy
from panhuo.workspace.survey_arrivals import import_tables

log = logging.getLogger(__name__)
SILENT: Final = timedelta(minutes=15)
TRIES: Final = 3
Report = Callable[[str, int], None]


def take() -> Job | None:
    """The next job, now ours: the oldest queued one, or one whose worker went silent."""
    with transaction.atomic():
        lost = Q(state="running", beat__lt=timezone.now() - SILENT)
        job: Job | None = (
            Job.objects.select_for_update().filter(Q(state="queued") | lost).order_by("id").first()
        )
        if job is None:
            return None
        job.state, job.beat, job.tries = "running", timezone.now(), job.tries + 1
        if job.tries > TRIES:
            job.state, job.fault = "failed", "given up after several restarts"
        job.save()
        return job if job.state == "running" else None


def requeue_own() -> None:
    """At start, what the one worker of this database left running is queued again."""
    Job.objects.filter(state="running").update(state="queued", stage="")


def run(job: Job) -> None:
    """Runs a job to its end and writes what came of it."""

    def report(stage: str, percent: int) -> None:
        Job.objects.filter(pk=job.pk).update(
            stage=stage[:200], percent=min(percent, 100), beat=timezone.now()
        )

    try:
        job.result = WORK[job.kind](job, report)
        report("", 95)
        reading_copy(shelf().workspace)
        job.state, job.percent, job.fault = "done", 100, ""
    except PanhuoError as fault:
        job.state, job.fault = "failed", str(fault)
    except Exception as fault:
        log.exception("job %s", job.pk)
        job.state, job.fault = "failed", f"{type(fault).__name__}: {fault}"
    job.stage, job.done_at = "", timezone.now()
    with transaction.atomic():
        job.save()
        system_note(f"job.{job.state}", str(job.pk), kind=job.kind)
        announce(f"job.{job.state}", {"job": job.pk, "kind": job.kind})


def work_import(job: Job, report: Report) -> dict[str, Any]:
    """Imports an upload, if its land is the asker's."""
    with named(Upload.objects.get(pk=job.asked["upload"])) as path:
        report("检查范围 checking", 5)
        check_scope(path, job.asked, gate.scope_of(job.by))
        asked = import_options(job.asked, map_file=map_file(path, job.asked))
        return import_files(shelf().workspace.root, [path], asked, tick=importing(report))


def importing(report: Report) -> Tick:
    """Tells a job's report of an import's progress: each stage its share of the bar."""
    seen: list[str] = []
    told = [0.0]

    def tick(stage: str, done: int, total: int) -> None:
        if stage not in seen:
            seen.append(stage)
        if time.monotonic() - told[0] > 0.3 or done == total:
            told[0] = time.monotonic()
            share = (len(seen) - 1 + done / max(total, 1)) / (len(seen) + 1)
            report(f"{stage} {done:,}/{total:,}", min(94, 10 + int(85 * share)))

    return tick


def work_assess(job: Job, report: Report) -> dict[str, Any]:
    """Assesses the newest snapshot."""
    seen: list[str] = []
    last = [0.0]

    def tick(stage: str, done: int, total: int) -> None:
        if stage not in seen:
            seen.append(stage)
        if time.monotonic() - last[0] > 0.3 or done == total:
            last[0] = time.monotonic()
            report(
                f"{stage} {done}/{total}",
                min(94, int(100 * (len(seen) - 1 + done / max(total, 1)) / (len(seen) + 1))),
            )

    as_of = job.asked.get("as_of")
    return assess(shelf().workspace, as_of=date.fromisoformat(as_of) if as_of else None, tick=tick)


def work_correct(job: Job, report: Report) -> dict[str, Any]:
    """Stores what was approved: corrections, laid over the record at every reading, visits and the rows they add."""
    approved = Correction.objects.select_related("by", "decided_by", "visit", "head__visit")
    approved = approved.filter(pk__in=job.asked["corrections"])
    tables: dict[str, list[dict[str, Any]]] = {}
    for correction in approved.prefetch_related("files", "head__files").order_by("pk"):
        tables.setdefault("corrections", []).append(_as_row(correction))
    for visit in Visit.objects.select_related("decided_by").filter(pk__in=job.asked.get("visits", [])):
        tables.setdefault("visits", []).append(visit.as_row())
        for dataset, row in visit.made.items():
            tables.setdefault(dataset, []).append(row)
    report("写入 writing", 50)
    return import_tables(shelf().workspace.root, f"corrections-{job.pk}", tables)


def _as_row(correction: Correction) -> dict[str, str]:
    """A correction as the dataset holds it; its evidence names the files by their digest under `files/`."""
    files = "".join(f"；{f.name} files/{f.digest}" for f in correction.evidence_files())
    visit = correction.of_visit()
    on = visit.visited_on if visit else timezone.localdate(correction.decided_at)
    return {
        "dataset": correction.dataset, "key": correction.key, "field": correction.field, "value": correction.value,
        "evidence": correction.evidence + files, "by": f"{correction.by}/{correction.decided_by}",
        "on": on.isoformat(),
    }  # fmt: skip


def work_trial(job: Job, report: Report) -> dict[str, Any]:
    """What a tried value of the law would change; the whole answer is kept as a file, the job holds its digest."""
    report("试算 trying", 20)
    asked, ws = job.asked, shelf().workspace
    found = try_value(
        ws,
        asked["name"],
        date.fromisoformat(asked["start"]),
        asked["value"],
        place=asked["place"],
        as_of=date.fromisoformat(asked["as_of"]) if asked["as_of"] else None,
    )
    digest, _ = keep_file(ws.root, [json.dumps(found, ensure_ascii=False, default=str).encode()])
    return {"digest": digest}


WORK: Final[dict[str, Callable[[Job, Report], dict[str, Any]]]] = {
    "import": work_import,
    "assess": work_assess,
    "correct": work_correct,
    "trial": work_trial,
    "plan": work_plan,
    "adopt": work_adopt,
    "report": work_report,
}


def step() -> bool:
    """One round: a job if there is one, and the webhooks that are due. Returns whether a job was run."""
    job = take()
    if job is not None:
        run(job)
    deliver_due()
    return job is not None


def forever(pause_s: float = 1.0) -> None:
    """The worker's life; beside it the maps' tiles are made ahead."""
    requeue_own()
    threading.Thread(target=ahead_forever, daemon=True).start()
    while True:
        try:
            if not step():
                time.sleep(pause_s)
        except Exception:
            log.exception("worker")
            time.sleep(5)
