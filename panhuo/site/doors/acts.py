"""Where events are sent: set up, paused, tried, sent again."""

import secrets
from typing import Any

from django.utils import timezone

from panhuo.site.doors.events import PING
from panhuo.site.doors.models import Delivery, Webhook
from panhuo.site.trail import performing


def make_webhook(by: Any, url: str, events: list[str]) -> Webhook:
    """A webhook for some events (none: all), with a new secret that signs what is sent."""
    with performing(by, "webhook", "webhook.make", url, events=events):
        return Webhook.objects.create(
            url=url, events=" ".join(events), secret=secrets.token_urlsafe(32), by=by
        )


def set_active(by: Any, hook: Webhook, active: bool) -> None:
    """Pauses a webhook or takes it up again; what is due meanwhile waits."""
    with performing(by, "webhook", "webhook.resume" if active else "webhook.pause", hook.url):
        hook.active = active
        hook.save(update_fields=["active"])


def renew_secret(by: Any, hook: Webhook) -> str:
    """A new secret in place of the old one, shown once."""
    with performing(by, "webhook", "webhook.secret", hook.url):
        hook.secret = secrets.token_urlsafe(32)
        hook.save(update_fields=["secret"])
    return hook.secret


def ping(by: Any, hook: Webhook) -> Delivery:
    """Sends one event that says nothing, to see whether it arrives."""
    with performing(by, "webhook", "webhook.ping", hook.url):
        return Delivery.objects.create(hook=hook, event=PING, body={})


def send_again(by: Any, delivery: Delivery) -> None:
    """Puts a delivery that did not arrive back in the queue, due now."""
    with performing(by, "webhook", "webhook.again", delivery.hook.url, delivery=delivery.pk):
        delivery.tries, delivery.next_try = 0, timezone.now()
        delivery.save(update_fields=["tries", "next_try"])
