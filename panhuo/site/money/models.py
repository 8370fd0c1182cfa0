"""Inputs of appraisals that people on the spot gave, each set with its author; the latest of a parcel is in force."""

from typing import Any

from django.conf import settings
from django.db import models


class InputSet(models.Model):
    """The inputs of one parcel as somebody saved them. Rows are only added: the older ones are the history."""

    parcel_id = models.CharField(max_length=80, db_index=True)
    values = models.JSONField(default=dict)
    note = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.parcel_id} {self.at:%Y-%m-%d}"

    @classmethod
    def open_to(cls, person: Any) -> models.QuerySet["InputSet"]:
        """Sets a person's work rests on: those of offices, and one's own. A land company's wishes bind nobody else."""
        return cls.objects.select_related("by").exclude(~models.Q(by=person), by__role="land_company")
