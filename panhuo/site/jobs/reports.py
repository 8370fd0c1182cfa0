"""Reports asked for in the browser: 一地一策 of a parcel, the list of a finding, the board of one's land."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from panhuo.core.problems import PanhuoError
from panhuo.site.gate import scope_of
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.results import scope_dict, units_of
from panhuo.site.labels import rulebook
from panhuo.site.shelf import shelf
from panhuo.site.words import pick
from panhuo.workspace.files import keep_file
from panhuo.workspace.reports import report_board, report_list, report_parcel

ENDINGS: Final = {"parcel": ("docx", "pdf", "html"), "board": ("docx", "pdf", "html"), "list": ("xlsx",)}
TYPES: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
}
CHUNK: Final = 2**20


def read_form(form: Any) -> dict[str, str]:
    """What a form asks for: {what, id, ending, lang}. Raises PanhuoError for a report there is not."""
    asked = {name: form.get(name, "").strip() for name in ("what", "id", "ending")}
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
    name = f"{asked['id'] or asked['what']}.{asked['ending']}".replace(":", "-").replace("/", "-")
    report("编写 writing", 30)
    units = units_of(job.by) if asked["what"] != "parcel" else None
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"report.{asked['ending']}"
        match asked["what"]:
            case "parcel":
                report_parcel(ws, asked["id"], path, asked["lang"])
            case "list":
                report_list(ws, asked["id"], path, asked["lang"], units)
            case _:
                report_board(ws, path, asked["lang"], units)
        with path.open("rb") as stream:
            digest, size = keep_file(ws.root, iter(lambda: stream.read(CHUNK), b""))
    return {"digest": digest, "size": size, "name": name, "scope": scope_dict(scope_of(job.by))}
