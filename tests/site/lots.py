"""Lots for tests: a parcel of the ledger as its office would offer it, and what the form of a plot submits."""

from datetime import timedelta

from django.utils import timezone

from panhuo.site.market.models import Lot
from panhuo.site.shelf import one


def lot_of(by, parcel_id, **changes):
    """A lot of a parcel kept as it is, without the checks of the acts; a draft unless told otherwise."""
    land = one("SELECT * FROM parcels WHERE parcel_id = ?", (parcel_id,))
    given = {
        "kind": "plot",
        "way": "split_transfer",
        "title": "园区一号地",
        "parcel_id": parcel_id,
        "division": land["division"],
        "holder_uscc": land["holder_uscc"],
        "area_m2": land["area_m2"],
        "use": land["land_use"] or "",
        "use_scheme": land["land_use_scheme"] or "",
        "office": "自然资源局",
        "phone": "0731-88061234",
        "valid_until": timezone.localdate() + timedelta(days=90),
        "lon": land["lon"],
        "lat": land["lat"],
        "by": by,
        "edited_by": by,
        "published_at": timezone.now() if changes.get("state") == "published" else None,
    }
    return Lot.objects.create(**given | changes)


def written(**changes):
    """What the form of a plot submits."""
    return {
        "title": "一号地", "way": "split_transfer", "address": "湘江路1号", "area_m2": "3000", "price": "45",
        "price_unit": "wan_per_mu", "office": "自然资源局", "phone": "0731-88061234", "shown": "point",
        "valid_until": str(timezone.localdate() + timedelta(days=60)), "industries": ["35", "38"],
        "services": "水、电", "do": "save",
    } | changes  # fmt: skip
