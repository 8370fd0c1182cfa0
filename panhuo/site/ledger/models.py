"""A person's saved lists, and what has been made public."""

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A list's address under a name; shared ones are offered to everybody (their own gate still applies)."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="views")
    dataset = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True)
    shared = models.BooleanField(default=False)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=["person", "dataset", "name"], name="one_view_per_name"),
        )

    def __str__(self) -> str:
        return self.name


class Publication(models.Model):
    """A parcel whose idle-land facts are told to the public."""

    parcel_id = models.CharField(max_length=80, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.parcel_id
