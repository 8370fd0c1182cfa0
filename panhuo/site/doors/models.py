"""Where events are sent, and whether they arrived."""

from django.conf import settings
from django.db import models


class Webhook(models.Model):
    """An office's own system that wants to hear of events; `secret` signs what is sent."""

    url = models.URLField()
    events = models.CharField(max_length=200, blank=True)
    secret = models.CharField(max_length=64)
    active = models.BooleanField(default=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.url

    def wants(self, event: str) -> bool:
        return not self.events or event in self.events.split()


class Delivery(models.Model):
    """One event on its way to one webhook."""

    hook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=60)
    body = models.JSONField()
    made_at = models.DateTimeField(auto_now_add=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(auto_now_add=True)
    answered = models.PositiveSmallIntegerField(null=True)
    done_at = models.DateTimeField(null=True)
