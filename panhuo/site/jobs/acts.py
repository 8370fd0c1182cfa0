"""What can be asked of the background: import an uploaded file, assess the workspace, try a value of the law."""

from datetime import date
from pathlib import PurePath
from typing import Any

from panhuo.core.problems import PanhuoError
from panhuo.site.jobs.models import Job, Upload
from panhuo.site.shelf import shelf
from panhuo.site.trail import performing
from panhuo.site.words import pick
from panhuo.workspace.files import keep_file
from panhuo.workspace.law_trial import read_value

PLACE_DIGITS = (2, 4, 6)
TAKEN = (".xlsx", ".xls", ".csv", ".zip", ".gpkg", ".geojson", ".json", ".parquet", ".dxf", ".txt")


def upload(by: Any, given: Any) -> Upload:
    """Keeps a ledger file; nothing is imported yet. Raises PanhuoError for a kind the import does not read."""
    name = PurePath(given.name).name[:200]
    if PurePath(name).suffix.lower() not in TAKEN:
        raise PanhuoError(pick("不接受这种文件", "this kind of file is not taken"), why=" ".join(TAKEN))
    with performing(by, "upload", "ledger.upload", name) as detail:
        digest, size = keep_file(shelf().workspace.root, given.chunks())
        detail |= {"digest": digest, "size": size}
        return Upload.objects.create(name=name, digest=digest, size=size, by=by)


def ask_import(by: Any, what: Upload, asked: dict[str, Any]) -> Job:
    """Queues the import of an upload of one's own."""
    with performing(by, "upload", "ledger.import", what.name, **asked):
        return Job.objects.create(kind="import", asked={"upload": what.pk, **asked}, by=by)


def ask_assess(by: Any, as_of: str) -> Job:
    """Queues an assessment of the newest snapshot. as_of: ISO date, or empty for today."""
    with performing(by, "assess", "assess.ask", as_of):
        return Job.objects.create(kind="assess", asked={"as_of": as_of}, by=by)


def ask_report(by: Any, asked: dict[str, Any]) -> Job:
    """Queues a report; `asked` as `reports.read_form` gives it, with the language and the parcels ticked."""
    with performing(by, "export", "report.ask", asked["id"] or asked["what"], asked=asked):
        return Job.objects.create(kind="report", asked=asked, by=by)


def ask_trial(by: Any, name: str, start: date, text: str, place: str, as_of: date | None) -> Job:
    """Queues the trial of a value. Raises PanhuoError where `text` is no value of the parameter; see `read_value`."""
    if place and not (place.isdigit() and len(place) in PLACE_DIGITS):
        raise PanhuoError(pick(f"不是行政区划代码：{place}", f"not a division code: {place}"))
    value = read_value(text, name, start, place)
    asked = {
        "name": name,
        "start": start.isoformat(),
        "value": value,
        "place": place,
        "as_of": as_of and as_of.isoformat(),
    }
    with performing(by, "assess", "law.try", name, **asked):
        return Job.objects.create(kind="trial", asked=asked, by=by)
