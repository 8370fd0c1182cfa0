"""Three projects against 448, the promises of the one admitted, and its milestones on a date.

python examples/score_admission.py
"""

from datetime import date

import pyarrow as pa

from panhuo.core.dates import WorkCalendar
from panhuo.measure.lifecycle import milestones
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import AdmissionScheme, LifecycleScheme
from panhuo.score.admission import admit, promises

ON = date(2025, 1, 2)


def main() -> None:
    book = Rulebook.load()
    rule = scheme(book, AdmissionScheme, "wangcheng_448", ON)
    projects = pa.table(
        {
            "project_id": ["battery case", "packing", "unknown tax"],
            "land_mu": [30.0, 20.0, 25.0],
            "investment_total_wan": [15_000.0, 6_000.0, 12_000.0],
            "tax_wan": [1_260.0, 900.0, None],
            "revenue_wan": [27_000.0, 17_000.0, 21_000.0],
        }
    )
    result = admit(projects, rule)
    for verdict in result.verdicts.to_pylist():
        print(verdict)
    for promise in promises(result, rule).to_pylist():
        print(promise)
    calendars = book.calendars.values()
    calendar = WorkCalendar(
        {day for year in calendars for day in year.holidays},
        {day for year in calendars for day in year.workdays},
        date(min(map(int, book.calendars)), 1, 1),
        date(max(map(int, book.calendars)), 12, 31),
    )
    contracts = pa.table(
        {
            "contract_no": ["C-1"],
            "parcel_id": ["P-1"],
            "delivered_on": [date(2024, 1, 15)],
            "start_by": [date(2025, 1, 1)],
            "finish_by": [date(2026, 12, 31)],
            "work_state": ["not_started"],
        }
    )
    for row in milestones(
        contracts, scheme(book, LifecycleScheme, "lifecycle", ON), calendar, ON
    ).to_pylist():
        print(row)


if __name__ == "__main__":
    main()
