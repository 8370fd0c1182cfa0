"""The working-day calendar of a rulebook: what the State Council announced for each year (law/calendars)."""

from datetime import date

from panhuo.core.dates import WorkCalendar
from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Rulebook


def work_calendar(book: Rulebook) -> WorkCalendar:
    """Holidays and exchanged weekends of every announced year; PanhuoError when the law holds no calendar."""
    if not book.calendars:
        raise PanhuoError(
            "没有放假安排 no calendar of holidays",
            where=str(book.root / "calendars"),
            remedy="按国务院办公厅通知加上当年文件 add the year the State Council announced",
        )
    years = sorted(map(int, book.calendars))
    return WorkCalendar(
        holidays=frozenset(day for year in book.calendars.values() for day in year.holidays),
        workdays=frozenset(day for year in book.calendars.values() for day in year.workdays),
        official_from=date(years[0], 1, 1),
        official_to=date(years[-1], 12, 31),
    )
