"""Every act: permission, transaction and trail row together."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from panhuo.site import gate
from panhuo.site.accounts.models import Trail


@contextmanager
def performing(
    person: Any, act: gate.Act, what: str, subject: str = "", **detail: Any
) -> Iterator[dict[str, Any]]:
    """Runs the body inside one transaction if the person may `act`, and writes what was done into the trail.

    what: the act's name as the trail shows it (`correction.approve`); subject: the id acted on; detail: what else the
    row should hold; the body may add to it. Nothing is written if the body fails.
    """
    gate.demand(person, act)
    with transaction.atomic():
        yield detail
        Trail.objects.create(
            person=person, name=person.get_username(), what=what, subject=subject, detail=detail
        )


def system_note(what: str, subject: str = "", **detail: Any) -> None:
    """A trail row for what the program did itself (a job finished, a token expired)."""
    Trail.objects.create(person=None, name="panhuo", what=what, subject=subject, detail=detail)
