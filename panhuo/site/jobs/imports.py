"""An uploaded file read as the import would read it, and whether its land is the uploader's to bring in."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.http import QueryDict

from panhuo.core.problems import PanhuoError
from panhuo.inventory.intake import Options, take_file
from panhuo.inventory.mapping import MappingFile
from panhuo.inventory.spec import dataset_specs
from panhuo.inventory.take import Taken
from panhuo.site.gate import Scope
from panhuo.site.jobs.models import Upload
from panhuo.site.shelf import kept_file, shelf
from panhuo.site.words import pick

SHOWN_ROWS = 8


@contextmanager
def named(upload: Upload) -> Iterator[Path]:
    """The upload's bytes under their own name, for readers that go by the suffix."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / upload.name
        shutil.copyfile(kept_file(upload.digest), path)
        yield path


def mapping_of(asked: dict[str, Any]) -> MappingFile:
    """Which header feeds which field, as chosen on screen. A header given a field of its own feeds no other."""
    chosen = asked.get("map") or {}
    datasets: dict[str, Any] = {}
    for name, table in chosen.items():
        fields: dict[str, list[str]] = {}
        for header, field in table["headers"].items():
            if field:
                fields.setdefault(field, []).append(header)
        datasets[name] = {"layer": table["layer"], "fields": fields}
    ignore = [header for table in chosen.values() for header in table["headers"]]
    return MappingFile.model_validate({"datasets": datasets, "ignore": ignore})


def map_file(beside: Path, asked: dict[str, Any]) -> Path | None:
    """The mapping chosen on screen as a file beside the upload, for the import; None where nothing was chosen."""
    if not asked.get("map"):
        return None
    path = beside.parent / "chosen-headers.yaml"
    path.write_text(mapping_of(asked).model_dump_json(by_alias=True), encoding="utf-8")
    return path


def chosen_headers(form: QueryDict) -> dict[str, Any]:
    """The mapping of a preview's form: what was chosen before, and the headers whose field was changed now.

    Once anything is chosen every table of the file is listed, since a mapping settles what a file holds.
    """
    before = json.loads(form.get("map") or "{}")
    tables = list(zip(form.getlist("table"), form.getlist("layer"), strict=False))
    found = {name: {"layer": layer, "headers": {}} for name, layer in tables if name in dataset_specs()}
    for name, table in before.items():
        found.setdefault(name, table)["headers"] = dict(table["headers"])
    for name, table in found.items():
        rows = zip(*(form.getlist(f"{part}.{name}") for part in ("header", "field", "was")), strict=False)
        table["headers"] |= {header: field for header, field, was in rows if field != was}
    return found if any(table["headers"] for table in found.values()) else {}


def import_options(asked: dict[str, Any], **more: Any) -> Options:
    """The import's options from a form or a job."""
    return Options(
        as_dataset=asked.get("dataset") or None,
        crs=asked.get("crs") or None,
        encoding=asked.get("encoding") or None,
        accept_partial=bool(asked.get("accept_partial")),
        **more,
    )


def headers_fed(taken: Taken) -> list[tuple[str, str]]:
    """Each header of a table with the field it feeds, "" for none."""
    fed: dict[int, str] = {}
    for name, feeds in taken.plan.feeds.items():
        for feed in feeds:
            fed.setdefault(feed.column, name)
    return [(header, fed.get(i, "")) for i, header in enumerate(taken.raw.headers)]


def preview(path: Path, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What the file gives: for each dataset the mapping of headers, the first rows, and the problems by type."""
    place = shelf().workspace.config.get("place", "")
    shown = []
    for taken in take_file(path, import_options(asked, dry_run=True), mapping_of(asked), place):
        table = taken.table
        filled = [
            n for n in table.column_names if table[n].null_count < table.num_rows and "geometry" not in n
        ]
        shown.append(
            {
                "dataset": taken.dataset,
                "layer": taken.raw.layer,
                "headers": headers_fed(taken),
                "fields": [
                    f for f, s in dataset_specs()[taken.dataset].fields.items() if s.type != "geometry"
                ],
                "rows": table.num_rows,
                "columns": filled,
                "first": table.slice(0, SHOWN_ROWS).select(filled).to_pylist(),
                "problems": taken.problems.slice(0, 200).to_pylist(),
                "problem_count": taken.problems.num_rows,
            }
        )
    return shown


def check_scope(path: Path, asked: dict[str, Any], scope: Scope) -> None:
    """Raises PanhuoError where the file would write land outside the person's own, or verified corrections unseen."""
    place = shelf().workspace.config.get("place", "")
    for taken in take_file(path, import_options(asked), mapping_of(asked), place):
        if taken.dataset == "corrections":
            raise PanhuoError(
                pick("更正须经审核，不能上传", "corrections need a second person; they are not uploaded")
            )
        if scope.everywhere:
            continue
        codes = set(taken.table["division"].to_pylist()) if "division" in taken.table.column_names else {None}
        if outside := [str(c or "—") for c in codes if not (c and scope.covers_division(c))]:
            raise PanhuoError(
                pick("文件里有不在您负责范围的记录", "the file holds rows outside your land"),
                why=", ".join(sorted(outside)[:5]),
            )
