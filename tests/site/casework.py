"""Working a case on the site: steps of it, and the inquiry that most tests begin with."""

from datetime import date

import pytest
from django.utils import timezone

from panhuo.site.cases.models import Case

TODAY = timezone.localdate()
NOTICE = date(2026, 10, 12)


def step(client, case, name, day=NOTICE, outcome="", ticks=(), **more):
    names = name if isinstance(name, list) else [name]
    data = {"step": names, "day": str(day), "tick": list(ticks)} | more
    if outcome:
        data[f"outcome-{names[0]}"] = outcome
    return client.post(f"/casework/{case.pk}/do/", data)


def text(answer):
    return answer.content.decode()


@pytest.fixture
def opened(as_, parcel_id):
    """An inquiry of a parcel of 430112, opened by its clerk."""
    answer = as_("clerk").post(
        f"/casework/open/{parcel_id}/", {"procedure": "p02_idle_inquiry", "began": "2026-10-09"}
    )
    assert answer.status_code == 302
    return Case.objects.get()


@pytest.fixture
def determined(as_, opened):
    """The inquiry ended: idle by the holder's own cause, and filed."""
    clerk = as_("clerk")
    for name, outcome in (("notice", ""), ("materials", "filed"), ("inspect", ""), ("cause", "holder")):
        step(clerk, opened, name, outcome=outcome)
    for fact, value in (("start_by", "2020-05-01"), ("work_state", "not_started")):
        clerk.post(f"/casework/{opened.pk}/fact/", {"fact": fact, "value": value, "note": "合同"})
    step(clerk, opened, "determine", outcome="idle")
    for name in ("publish", "file", "copy_finance"):
        step(clerk, opened, name)
    opened.refresh_from_db()
    assert (opened.state, opened.end) == ("ended", "served")
    return opened
