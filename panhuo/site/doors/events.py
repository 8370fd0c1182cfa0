"""Events told to webhooks: written in the same transaction as the act, sent by the worker, signed, tried again."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from panhuo.site.doors.models import Delivery, Webhook
from panhuo.site.words import say

EVENTS: Final[dict[str, Any]] = {
    "job.done": say("任务完成", "A job is done"),
    "job.failed": say("任务失败", "A job failed"),
    "correction.decided": say("更正已决定", "A correction is decided"),
    "case.opened": say("案件已立", "A case is opened"),
    "case.step": say("案件办了一步", "A step of a case is done"),
    "case.ended": say("案件办结", "A case has ended"),
    "parcel.published": say("宗地已公开", "Parcels are published"),
    "parcel.withdrawn": say("宗地撤回公开", "Parcels are withdrawn"),
    "lot.published": say("供应项已发布", "A lot is on offer"),
    "lot.withdrawn": say("供应项已撤下", "A lot is withdrawn"),
    "lot.concluded": say("供应项已供应", "A lot is supplied"),
    "enquiry.received": say("收到咨询", "An enquiry came"),
}
"""What is announced. A webhook may ask for some of them; none asked for is all."""
PING: Final = "ping"


def event_words(code: str) -> str:
    """What an event is called."""
    return str(say("测试", "A test") if code == PING else EVENTS.get(code, code))


TRIES: Final = 6
WAIT_S: Final = 10


def announce(event: str, body: dict[str, Any]) -> None:
    """Queues `event`, one of EVENTS, for every webhook that wants it."""
    assert event in EVENTS, event
    Delivery.objects.bulk_create(
        Delivery(hook=hook, event=event, body=body)
        for hook in Webhook.objects.filter(active=True)
        if hook.wants(event)
    )


def signature(secret: str, body: bytes) -> str:
    """What the receiver checks: HMAC-SHA256 of the body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook answers itself; following it elsewhere would send signed data to a place nobody configured."""

    def redirect_request(self, *args: Any) -> None:
        return None


def deliver_due() -> int:
    """Sends what is due; a failed one waits twice as long each time. Returns how many arrived."""
    arrived = 0
    due = Delivery.objects.select_related("hook").filter(
        hook__active=True, done_at=None, tries__lt=TRIES, next_try__lte=timezone.now()
    )
    for delivery in due[:50]:
        delivery.answered = _send(delivery)
        delivery.tries += 1
        if delivery.answered is not None and delivery.answered < 300:
            delivery.done_at = timezone.now()
            arrived += 1
        delivery.next_try = timezone.now() + timedelta(seconds=WAIT_S * 2**delivery.tries)
        delivery.save()
    return arrived


def _send(delivery: Delivery) -> int | None:
    body = json.dumps(
        {"event": delivery.event, "id": delivery.pk, **delivery.body}, ensure_ascii=False
    ).encode()
    request = urllib.request.Request(
        delivery.hook.url,
        body,
        {"Content-Type": "application/json", "X-Panhuo-Signature": signature(delivery.hook.secret, body)},
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=WAIT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except (urllib.error.URLError, OSError):
        return None
