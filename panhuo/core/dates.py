"""Clocks of the law: calendar and working days, months and years, from the day after the event.

The official calendar is data (law/calendars); past its last announced year a result says so (`official` is False).
A period's last day that is a rest day moves to the next working day (行政复议法 第八十八条, 民法典 第二百零三条).
"""

import calendar as months
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count


@dataclass(frozen=True)
class WorkCalendar:
    """Public holidays and exchanged working weekends, official up to and including `official_to`."""

    holidays: Collection[date]
    workdays: Collection[date]
    official_from: date
    official_to: date

    def is_working(self, day: date) -> bool:
        """Whether offices work on `day`; Monday to Friday where no announcement says otherwise."""
        if day in self.holidays:
            return False
        return day in self.workdays or day.weekday() < 5

    def is_official(self, day: date) -> bool:
        """Whether `day` lies in the announced years."""
        return self.official_from <= day <= self.official_to


@dataclass(frozen=True)
class Deadline:
    """The last day of a period; `official` is False when it rests on a calendar not yet announced."""

    day: date
    official: bool


def add_working_days(start: date, days: int, calendar: WorkCalendar) -> Deadline:
    """The `days`-th working day after `start` (the day of the event does not count)."""
    if days < 0:
        raise ValueError("a period has no negative length")
    day, left = start, days
    while left > 0:
        day += timedelta(days=1)
        left -= calendar.is_working(day)
    return Deadline(day, calendar.is_official(start) and calendar.is_official(day))


def add_days(start: date, days: int, calendar: WorkCalendar) -> Deadline:
    """The `days`-th calendar day after `start`, moved past rest days."""
    return next_working_day(start + timedelta(days=days), calendar)


def next_working_day(day: date, calendar: WorkCalendar) -> Deadline:
    """`day` if offices work on it, else the first working day after it."""
    found = next(d for d in (day + timedelta(days=n) for n in count()) if calendar.is_working(d))
    return Deadline(found, calendar.is_official(found))


def add_months(start: date, number: int) -> date:
    """The same day `number` months on (back when negative); the month's last day where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + number, 12)
    return date(year, month + 1, min(start.day, months.monthrange(year, month + 1)[1]))


def add_years(start: date, number: int) -> date:
    """The same day `number` years on; 28 February for 29 February in a common year."""
    return add_months(start, 12 * number)
