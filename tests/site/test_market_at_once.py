"""Two people at one moment, on PostgreSQL: land is promised once, a lot supplied once, an enquiry answered once."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone
from lots import lot_of

from panhuo.core.problems import PanhuoError
from panhuo.site.market import acts
from panhuo.site.market.models import Enquiry, Lot
from panhuo.site.shelf import one

# The tests' SQLite lies in memory, where threads share one connection.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("django_db_modify_db_settings", ["PostgreSQL"], indirect=True, scope="session"),
]
TODAY = timezone.localdate()
ROUNDS = 8


def at_once(*tasks):
    """Runs all at one moment, each on a connection of its own; what each was refused with, None where it was done."""
    start = Barrier(len(tasks), timeout=10)

    def run(task):
        try:
            connection.ensure_connection()
            start.wait()
            task()
        except PanhuoError as fault:
            return fault
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def refused(results):
    """The one refusal: every other was done."""
    (fault,) = [fault for fault in results if fault is not None]
    return fault


@pytest.fixture
def pair(cast, parcel_id):
    """Makes two lots that together are more than their parcel."""
    whole = one("SELECT area_m2 FROM parcels WHERE parcel_id = ?", (parcel_id,))["area_m2"]

    def make(**of_the_second):
        Lot.objects.update(state="withdrawn")
        first = lot_of(cast["clerk"], parcel_id, state="submitted", area_m2=0.6 * whole)
        second = lot_of(cast["clerk"], parcel_id, state="submitted", area_m2=0.5 * whole, **of_the_second)
        return first.pk, second.pk

    return make


def test_of_two_lots_that_are_more_than_the_parcel_one_is_published(cast, pair):
    for _ in range(ROUNDS):
        first, second = pair()
        results = at_once(
            partial(acts.publish, cast["leader"], first, "x"),
            partial(acts.publish, cast["reviewer"], second, "x"),
        )
        assert refused(results).where == "area_m2"
        assert Lot.objects.filter(state="published").count() == 1


def test_land_goes_to_the_public_or_to_who_has_priority_not_to_both(cast, pair):
    for _ in range(ROUNDS):
        first, second = pair(priority="exercised", priority_holder="原厂")
        results = at_once(
            partial(acts.publish, cast["leader"], first, "x"),
            partial(acts.conclude, cast["clerk"], second, TODAY, None, "原厂", ""),
        )
        assert refused(results).where == "area_m2"


def test_a_lot_is_supplied_to_one_taker(cast, parcel_id):
    takers = ("甲公司", "乙公司")
    for _ in range(ROUNDS):
        pk = lot_of(cast["clerk"], parcel_id, state="published").pk
        results = at_once(
            *(partial(acts.conclude, cast["clerk"], pk, TODAY, None, taker, "") for taker in takers)
        )
        assert refused(results)
        assert Lot.objects.get(pk=pk).taker == takers[results.index(None)]
        assert Lot.history.filter(id=pk, state="concluded").count() == 1


@pytest.fixture
def asked(cast, parcel_id):
    """Makes an enquiry, as two people have it on their screens."""
    lot = lot_of(cast["clerk"], parcel_id, state="published")

    def make():
        pk = Enquiry.objects.create(lot=lot, company="恒达", contact="李工", phone="1", sender="0" * 64).pk
        return Enquiry.objects.get(pk=pk), Enquiry.objects.get(pk=pk)

    return make


def test_an_enquiry_is_answered_by_one(cast, asked):
    answers = ("已电话答复", "已去信")
    for _ in range(ROUNDS):
        held = asked()
        results = at_once(
            *(
                partial(acts.answer, cast["clerk"], seen, "new", "answered", text)
                for seen, text in zip(held, answers, strict=True)
            )
        )
        assert refused(results)
        assert Enquiry.objects.get(pk=held[0].pk).answer == answers[results.index(None)]


def test_an_answer_does_not_bring_a_deleted_enquiry_back(cast, asked):
    for _ in range(ROUNDS):
        first, second = asked()
        at_once(
            partial(acts.answer, cast["clerk"], first, "new", "closed", ""),
            partial(acts.remove_enquiry, cast["clerk"], second),
        )
        assert not Enquiry.objects.exists()


def test_a_flood_that_comes_at_once_is_stopped_too(asked):
    given = {"company": "恒达", "contact": "李工", "phone": "1"}
    flood = [partial(acts.enquire, asked()[0].lot_id, given, "10.1.2.3")] * (2 * acts.HOURLY)
    assert at_once(*flood).count(None) == acts.HOURLY
