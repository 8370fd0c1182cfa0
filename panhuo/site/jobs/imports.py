"""An uploaded file read as the import would read it, and whether its land is the uploader's to bring in."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from panhuo.core.problems import PanhuoError
from panhuo.inventory.intake import Options, take_file
from panhuo.inventory.mapping import MappingFile
from panhuo.site.gate import Scope
from panhuo.site.jobs.models import Upload
from panhuo.site.shelf import shelf
from panhuo.site.words import pick
from panhuo.workspace.files import file_path

SHOWN_ROWS = 8


@contextmanager
def named(upload: Upload) -> Iterator[Path]:
    """The upload's bytes under their own name, for readers that go by the suffix."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / upload.name
        shutil.copyfile(file_path(shelf().workspace.root, upload.digest), path)
        yield path


def import_options(asked: dict[str, Any], **more: Any) -> Options:
    """The import's options from a form or a job."""
    return Options(
        as_dataset=asked.get("dataset") or None,
        crs=asked.get("crs") or None,
        encoding=asked.get("encoding") or None,
        accept_partial=bool(asked.get("accept_partial")),
        **more,
    )


def preview(path: Path, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What the file gives: for each dataset the mapping of headers, the first rows, and the problems by type."""
    place = shelf().workspace.config.get("place", "")
    shown = []
    for taken in take_file(path, import_options(asked, dry_run=True), MappingFile(), place):
        table = taken.table
        filled = [
            n for n in table.column_names if table[n].null_count < table.num_rows and "geometry" not in n
        ]
        shown.append(
            {
                "dataset": taken.dataset,
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
    for taken in take_file(path, import_options(asked), MappingFile(), place):
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
