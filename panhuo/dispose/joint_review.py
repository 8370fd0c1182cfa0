"""One joint review against the same reviews one after another, in working days and on the official calendar."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from panhuo.core.dates import Deadline, WorkCalendar, add_working_days


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One department: its working days, and the last day of its review either way (None where no day is given)."""

    department: str
    days: float
    serial_by: date | None
    joint_by: date | None


@dataclass(frozen=True, slots=True)
class JointReview:
    """Both ways: `saved_share` is 1 − joint ÷ serial; `official` False when a day rests on no announced calendar."""

    departments: tuple[Reviewed, ...]
    serial_days: float
    joint_days: float
    serial_by: date | None
    joint_by: date | None
    official: bool

    @property
    def saved_share(self) -> float:
        """Share of the serial time that the joint review saves."""
        return 1 - self.joint_days / self.serial_days


def joint_review(
    days: Mapping[str, float], limit: float, began: date | None, calendar: WorkCalendar
) -> JointReview:
    """The reviews of `days` (department → working days, above 0) side by side on one clock, and one after another.

    limit: working days of the one clock; a department that another law gives longer holds the decision up as long.
    began: the day of acceptance. One after another, each department begins when the one before it has ended, in the
    order given; a part of a day counts as a day on the calendar.
    """
    joint_days = max(limit, *days.values())
    if began is None:
        rows = tuple(Reviewed(name, number, None, None) for name, number in days.items())
        return JointReview(rows, sum(days.values()), joint_days, None, None, True)
    before, found, ends = began, list[Reviewed](), list[Deadline]()
    for name, number in days.items():
        after, beside = (add_working_days(start, math.ceil(number), calendar) for start in (before, began))
        found.append(Reviewed(name, number, after.day, beside.day))
        ends += [after, beside]
        before = after.day
    whole = add_working_days(began, math.ceil(joint_days), calendar)
    official = all(end.official for end in (*ends, whole))
    return JointReview(tuple(found), sum(days.values()), joint_days, before, whole.day, official)
