"""`panhuo report --notice`: a notice of a parcel written from the facts of the latest assessment."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from panhuo.core.names import check_names
from panhuo.core.problems import PanhuoError
from panhuo.report.notices import Matter, notice_document
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import AS_OF, Law
from panhuo.rulebook.notice import Notice, load_notices
from panhuo.rulebook.truths import truths, worked_out
from panhuo.workspace.compares import assessed
from panhuo.workspace.reports import RENDER, renderer, written
from panhuo.workspace.store import Workspace


def matter_of(
    notice: Notice,
    facts: Mapping[str, Any],
    settled: Mapping[str, Any],
    book: Rulebook,
    on: date,
    **case: Any,
) -> Matter:
    """What a notice is written from: the parcel's facts as assessed, with what was settled since; case: of Matter."""
    law, settled = Law(book, on), {**settled, AS_OF: on}
    names = {*notice.fact_names, "holder", "division", "land_use_scheme"} - {"parcel_id"}
    known = worked_out(names, facts, settled, law) | {"parcel_id": facts.get("parcel_id")}
    return Matter(known, truths(set(notice.predicates), facts, settled, law), on, **case)


def report_notice(
    ws: Workspace, parcel_id: str, kind: str, output: Path, on: date | None = None
) -> dict[str, Any]:
    """Writes a notice of a parcel to `output` (docx, pdf or html by its ending), under the law of `on` (today).

    What only a case knows (days of service, numbers) is left as marked blanks. Raises PanhuoError for an unknown kind
    or parcel, or where what the notice requires is false.
    """
    render, book = renderer(output, RENDER), Rulebook.load()
    check_names([kind], load_notices(), "文书 notice", "--notice")
    facts = assessed(ws, "facts", parcel_id)
    if not facts:
        raise PanhuoError(
            f"没有诊断过的地块 no assessed parcel: {parcel_id}", where=str(ws.root),
            remedy="先运行 panhuo assess run panhuo assess first",
        )  # fmt: skip
    notice = load_notices()[kind]
    matter = matter_of(notice, facts[0], {}, book, on or date.today())
    return written(output, render(notice_document(notice, matter, book)))
