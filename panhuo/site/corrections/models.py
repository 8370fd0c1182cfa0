"""Facts proposed against the record, each with evidence, decided by somebody else."""

from typing import Any

from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from panhuo.site.words import say

STATES = (
    ("proposed", say("待审", "Proposed")),
    ("approved", say("已通过", "Approved")),
    ("refused", say("已退回", "Refused")),
)


class Correction(models.Model):
    """One cell of one row said to be otherwise. Its files, kept with whose page tells of the row, are `files`."""

    dataset = models.CharField(max_length=20, default="parcels")
    key = models.CharField(max_length=80, db_index=True)
    field = models.CharField(max_length=60)
    was = models.TextField(blank=True)
    value = models.TextField(blank=True)
    evidence = models.TextField()
    head = models.ForeignKey("self", models.PROTECT, null=True, related_name="others")
    """The first of those proposed together on one piece of evidence; none for the first itself."""
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
        return f"{self.key} {self.field}"

    def of_visit(self) -> Any:
        """The visit that found it, None where there was none."""
        return getattr(self.head or self, "visit", None)

    def evidence_files(self) -> Any:
        """Its files, or those of the first of those proposed together."""
        own = self.files.all()
        return own if own or self.head is None else self.head.files.all()

    def together(self) -> Any:
        """All proposed with this one, itself included, in the order proposed."""
        first = self.head_id or self.pk
        return Correction.objects.filter(models.Q(pk=first) | models.Q(head=first)).order_by("pk")
