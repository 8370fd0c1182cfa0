"""What can be done in the ledger: keep a view, make parcels public or take them back."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import F

from panhuo.site.among import Among
from panhuo.site.doors.events import announce
from panhuo.site.ledger.models import Publication, SavedView
from panhuo.site.records import visible
from panhuo.site.trail import performing


def save_view(by: Any, dataset: str, name: str, query: str, shared: bool) -> SavedView:
    """Keeps the present list under a name; the same name again replaces it."""
    with performing(by, "see", "view.save", name, dataset=dataset):
        view, _ = SavedView.objects.update_or_create(
            person=by, dataset=dataset, name=name, defaults={"query": query, "shared": shared}
        )
    return view


def remove_view(by: Any, view: SavedView) -> None:
    if view.person_id != by.pk:
        raise PermissionDenied("this is another person's view")
    with performing(by, "see", "view.remove", view.name):
        view.delete()


def publish(by: Any, parcel_ids: Sequence[str]) -> int:
    """Makes the parcels public; ids outside the person's land are passed over. Returns how many were."""
    ids = visible(by, "parcels", parcel_ids)
    with performing(by, "publish", "parcel.publish", f"{len(ids)}", parcels=ids):
        Publication.objects.bulk_create((Publication(parcel_id=i, by=by) for i in ids), ignore_conflicts=True)
        announce("parcel.published", {"parcels": ids})
    return len(ids)


def withdraw(by: Any, parcel_ids: Sequence[str]) -> int:
    """Takes parcels back from the public."""
    ids = visible(by, "parcels", parcel_ids)
    with performing(by, "publish", "parcel.withdraw", f"{len(ids)}", parcels=ids):
        Publication.objects.filter(Among(F("parcel_id"), ids)).delete()
        announce("parcel.withdrawn", {"parcels": ids})
    return len(ids)
