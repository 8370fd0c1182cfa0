"""The audit of one text: every identity tried on every claim; what none reaches is told as uncheckable."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from panhuo.measure.audit import change_identities as change
from panhuo.measure.audit import compared_identities as beside
from panhuo.measure.audit import mean_identities as means
from panhuo.measure.audit import parts_identities as parts
from panhuo.measure.audit import rows_identities as rows
from panhuo.measure.audit import share_identities as share
from panhuo.measure.audit import slips
from panhuo.measure.audit import units_identities as units
from panhuo.measure.audit.check import Check, Identity
from panhuo.measure.audit.physical import Factors, conversions
from panhuo.measure.audit.quantities import Quantity, Report, read
from panhuo.measure.audit.text import plain

IDENTITIES: Final[Sequence[Identity]] = (
    units.per_area,
    units.floor_area_ratio,
    units.price_times_area,
    units.floor_price,
    units.equivalents,
    parts.parts_of_whole,
    parts.whole_after_parts,
    parts.phases,
    parts.what_is_left,
    parts.what_is_saved,
    means.each_of_many,
    means.all_of_each,
    means.each_period,
    parts.gain,
    parts.price_is_cost_and_gain,
    parts.sums_in_section,
    share.rate,
    share.gain_rate,
    change.growth_over_base,
    change.yearly_growth,
    change.change,
    change.step,
    share.share_of_told_base,
    share.levied,
    share.reckoned,
    change.points,
    change.stock,
    change.times_of,
    change.saving_rate,
    change.duration,
    beside.compared,
    beside.beside_named,
    beside.deducted,
    beside.numbered_total,
    beside.priced,
    beside.by_years,
    beside.rest_by_rate,
    beside.come_to,
    beside.grown_by,
    beside.growing_yearly,
    rows.related_columns,
    rows.summed_columns,
    rows.paired,
    slips.told_twice,
    slips.told_roundly,
)
RELATIONAL: Final = {"percent", "times"}


def audit_text(text: str, *, wrapped: bool | None = None, factors: Factors | None = None) -> list[Check]:
    """The checks of a text, in the order of its figures; offsets are those of `text`.

    wrapped: whether line breaks are wraps of a page (None: judged from the text).
    factors: ranges of physical conversions; without them coal, carbon and trees are not checked.
    """
    return audit_report(read(plain(text, wrapped=wrapped)), factors)


def audit_report(report: Report, factors: Factors | None = None) -> list[Check]:
    """The checks of a report already read."""
    found: dict[tuple[int, str], Check] = {}
    checks = chain.from_iterable(identity(report) for identity in IDENTITIES)
    for check in chain(checks, conversions(report, factors) if factors else ()):
        key = (check.claim.index, check.identity)
        if key not in found or (found[key].status, check.status) == ("disagree", "agree"):
            found[key] = check
    reached = {index for index, _ in found}
    unreached = _uncheckable(q for q in report.quantities if q.index not in reached)
    return sorted([*found.values(), *unreached], key=lambda c: (c.claim.at, c.identity))


def _uncheckable(quantities: Iterable[Quantity]) -> Iterator[Check]:
    for q in quantities:
        if q.kind in RELATIONAL or (q.kind == "money/area" and q.noun) or q.kind == "number":
            yield Check(q, "uncheckable", "none", None, f"文中未给出可核算 {q.text} 的基数")
