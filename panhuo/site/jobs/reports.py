"""Reports asked for in the browser: 一地一策 of a parcel or of several, lists, the board of one's land."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.http import QueryDict

from panhuo.core.problems import PanhuoError
from panhuo.site.gate import found, scope_of
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.results import scope_dict, units_of
from panhuo.site.labels import rulebook
from panhuo.site.ledger.export import narrowed, write_xlsx
from panhuo.site.ledger.query import parse
from panhuo.site.records import visible
from panhuo.site.shelf import shelf
from panhuo.site.words import pick
from panhuo.workspace.files import keep_file
from panhuo.workspace.reports import Pictures, report_board, report_checks, report_list, report_parcel

ENDINGS: Final = {
    "parcel": ("docx", "pdf", "html"),
    "parcels": ("docx", "pdf"),
    "checks": ("xlsx",),
    "board": ("docx", "pdf", "html"),
    "list": ("xlsx",),
}
TYPES: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "zip": "application/zip",
}
CHUNK: Final = 2**20
OF_CHOSEN: Final = ("parcels", "checks")
"""Reports of the parcels ticked in a list."""


def read_form(form: Any) -> dict[str, str]:
    """What a form asks for: {what, id, ending, lang}. Raises PanhuoError for a report there is not."""
    asked = {name: form.get(name, "").strip() for name in ("what", "id", "ending")}
    if asked["what"] in OF_CHOSEN:
        asked["id"] = ""
        asked["ending"] = "xlsx" if asked["what"] == "checks" else asked["ending"]
    if asked["ending"] not in ENDINGS.get(asked["what"], ()):
        raise PanhuoError(
            pick("没有这种报告", "no such report"), where=f"{asked['what']} {asked['ending']}",
            remedy="; ".join(f"{what}: {' '.join(e)}" for what, e in ENDINGS.items()),
        )  # fmt: skip
    if asked["what"] == "list" and asked["id"] not in rulebook().rules:
        raise PanhuoError(pick("没有这个结论", "no such finding") + f": {asked['id']}")
    return asked


def work_report(job: Job, report: Callable[[str, int], None]) -> dict[str, Any]:
    """Writes the report for the asker's land and keeps its bytes."""
    asked, ws = job.asked, shelf().workspace
    ending = "zip" if asked["what"] == "parcels" else asked["ending"]
    name = f"{asked['id'] or asked['what']}.{ending}".replace(":", "-").replace("/", "-")
    report("编写 writing", 30)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"report.{ending}"
        match asked["what"]:
            case "parcel":
                report_parcel(ws, asked["id"], path, asked["lang"])
            case "parcels":
                _zip_of_plans(job, path, report)
            case "checks":
                report_checks(ws, path, asked["lang"], _still_visible(job))
            case "list":
                report_list(ws, asked["id"], path, asked["lang"], units_of(job.by))
            case _:
                report_board(ws, path, asked["lang"], units_of(job.by))
        with path.open("rb") as stream:
            digest, size = keep_file(ws.root, iter(lambda: stream.read(CHUNK), b""))
    return {"digest": digest, "size": size, "name": name, "scope": scope_dict(scope_of(job.by))}


def _still_visible(job: Job) -> list[str]:
    """The parcels asked for that the asker may see now; a job may wait while a scope changes."""
    ids: list[str] = found(visible(job.by, "parcels", job.asked["ids"]))
    return ids


def _zip_of_plans(job: Job, path: Path, report: Callable[[str, int], None]) -> None:
    """One 一地一策 per parcel, and the list of them."""
    asked, ids = job.asked, _still_visible(job)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        chosen = narrowed(parse("parcels", QueryDict(), job.by), ids)
        index = path.with_name("list.xlsx")
        with index.open("wb") as stream:
            write_xlsx(chosen, stream, len(ids))
        pictures = Pictures(shelf().workspace)
        archive.write(index, "清单.xlsx" if asked["lang"] == "zh" else "list.xlsx")
        for number, parcel_id in enumerate(ids):
            report(f"编写 writing {number}/{len(ids)}", 5 + 90 * number // len(ids))
            document = path.with_name(f"plan.{asked['ending']}")
            report_parcel(shelf().workspace, parcel_id, document, asked["lang"], pictures)
            archive.write(document, f"{parcel_id}.{asked['ending']}".replace("/", "-"))
