"""Files and photographs that belong to a parcel or an enterprise."""

from datetime import date

from django.conf import settings
from django.db import models


class Attachment(models.Model):
    """A file of a parcel or enterprise; its bytes lie in the workspace under their SHA-256."""

    dataset = models.CharField(max_length=20, default="parcels")
    subject = models.CharField(max_length=80, db_index=True)
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=80)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    taken_on = models.DateField(null=True, blank=True)
    correction = models.ForeignKey("corrections.Correction", models.PROTECT, null=True, related_name="files")
    """What it is evidence of."""

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @property
    def day(self) -> date:
        """When the picture was taken, or else handed in."""
        return self.taken_on or self.at.date()

    @property
    def is_picture(self) -> bool:
        return self.kind in ("image/png", "image/jpeg", "image/webp")

    @property
    def is_pdf(self) -> bool:
        return self.kind == "application/pdf"
