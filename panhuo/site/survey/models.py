"""Visits that came in from the field: who stood where, what was answered, and what a second person made of it."""

from typing import Any

from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from panhuo.site.corrections.models import STATES, Correction
from panhuo.workspace.found_facts import facts_of_fields


class Visit(models.Model):
    """One filled form. `visit_id` is given on the phone, so that what is sent twice arrives once."""

    visit_id = models.CharField(max_length=64, unique=True)
    form = models.CharField(max_length=40)
    parcel_id = models.CharField(max_length=80, db_index=True)
    """The parcel visited, or the id a space not yet on record will have."""
    division = models.CharField(max_length=12, db_index=True)
    is_new = models.BooleanField(default=False)
    name = models.CharField(max_length=200, blank=True)
    visited_on = models.DateField()
    surveyor = models.CharField(max_length=100)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    accuracy_m = models.FloatField(null=True)
    distance_m = models.FloatField(null=True)
    answers = models.JSONField(default=dict)
    facts = models.JSONField(default=list)
    """Facts of the law that it found out."""
    made = models.JSONField(default=dict)
    """Dataset → a row that is not on record yet."""
    photos = models.JSONField(default=list)
    """(name, digest, media type) of each."""
    told = models.JSONField(default=list)
    """What makes one doubt it: (problem type, field, value)."""
    remark = models.TextField(blank=True)
    source = models.CharField(max_length=200, blank=True)
    """The file of a survey tool it was read from."""
    head = models.OneToOneField(Correction, models.PROTECT, null=True, related_name="visit")
    """The first of the corrections it proposes."""
    state = models.CharField(max_length=10, choices=STATES, default="proposed", db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.form} {self.parcel_id}"

    def is_of(self, person: Any) -> bool:
        """Whether a person sent it or stood there."""
        return self.by_id == person.pk or self.surveyor.strip() in (
            person.shown_name(),
            person.get_username(),
        )

    def facts_standing(self) -> list[str]:
        """The facts found out but for those whose correction was refused."""
        refused = self.corrections().filter(state="refused").values_list("dataset", "field")
        gone = {fact for cell in refused for fact in facts_of_fields().get(cell, ())}
        return [fact for fact in self.facts if fact not in gone]

    def corrections(self) -> Any:
        """The corrections it proposes."""
        return self.head.together() if self.head else Correction.objects.none()

    def as_row(self) -> dict[str, Any]:
        """The visit as the dataset holds it, once it is decided."""
        return {
            "visit_id": self.visit_id, "form": self.form, "parcel_id": self.parcel_id,
            "visited_on": self.visited_on.isoformat(), "surveyor": self.surveyor,
            "approved_by": str(self.decided_by or ""), "lon": self.lon, "lat": self.lat,
            "accuracy_m": self.accuracy_m, "distance_m": self.distance_m, "answered": ", ".join(self.facts_standing()),
            "photos": len(self.photos), "files": " ".join(digest for _, digest, _ in self.photos),
            "remark": self.remark,
        }  # fmt: skip
