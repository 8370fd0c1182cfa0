"""Webhooks: made by the administrator alone, signed, tried again, sent to a real listener on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.utils import timezone

from panhuo.site.accounts.models import Trail
from panhuo.site.doors.events import TRIES, announce, deliver_due, signature
from panhuo.site.doors.models import Delivery, Webhook


@pytest.fixture
def listener():
    """A receiver that answers with the next of `answers` (204 when none) and keeps what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.got.append((self.headers["X-Panhuo-Signature"], body))
            self.send_response(server.answers.pop(0) if server.answers else 204)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_made_tried_paused_and_resumed_on_its_page(as_, listener):
    admin = as_("admin")
    page = admin.post("/webhooks/", {"url": listener.url, "events": ["job.done"]})
    secret = page.context["secret"]
    hook = Webhook.objects.get()
    assert secret == hook.secret
    assert secret.encode() in page.content
    assert secret.encode() not in admin.get(f"/webhooks/{hook.pk}/").content
    admin.post(f"/webhooks/{hook.pk}/ping/")
    assert deliver_due() == 1
    signed, body = listener.got[0]
    assert signed == signature(secret, body)
    assert json.loads(body)["event"] == "ping"
    announce("job.failed", {"job": 1})  # not asked for
    assert Delivery.objects.count() == 1
    admin.post(f"/webhooks/{hook.pk}/pause/")
    announce("job.done", {"job": 1})
    assert Delivery.objects.count() == 1
    admin.post(f"/webhooks/{hook.pk}/resume/")
    announce("job.done", {"job": 2})
    assert deliver_due() == 1
    assert {"webhook.make", "webhook.ping", "webhook.pause", "webhook.resume"} <= set(
        Trail.objects.values_list("what", flat=True)
    )


def test_a_new_secret_signs_from_then_on(as_, listener):
    admin = as_("admin")
    old = admin.post("/webhooks/", {"url": listener.url}).context["secret"]
    hook = Webhook.objects.get()
    new = admin.post(f"/webhooks/{hook.pk}/secret/").context["secret"]
    assert new != old
    announce("job.done", {"job": 1})
    deliver_due()
    signed, body = listener.got[0]
    assert signed == signature(new, body) != signature(old, body)


def test_what_does_not_arrive_is_tried_again_then_given_up_and_may_be_sent_again(as_, listener):
    admin = as_("admin")
    admin.post("/webhooks/", {"url": listener.url})
    hook = Webhook.objects.get()
    listener.answers = [500] * TRIES
    announce("job.done", {"job": 1})
    for _ in range(TRIES):
        assert deliver_due() == 0
        assert Delivery.objects.get().next_try > timezone.now()
        Delivery.objects.update(next_try=timezone.now())
    deliver_due()  # given up: not sent once more
    waiting = Delivery.objects.get()
    assert (len(listener.got), waiting.tries, waiting.answered) == (TRIES, TRIES, 500)
    again = {"delivery": str(waiting.pk)}
    assert "未送达" in admin.get(f"/webhooks/{hook.pk}/").content.decode()
    assert admin.post(f"/webhooks/{hook.pk}/again/", again).status_code == 302
    assert deliver_due() == 1
    assert admin.post(f"/webhooks/{hook.pk}/again/", again).status_code == 404  # it has arrived


@pytest.mark.parametrize("given", [{"url": "ftp://x"}, {"url": "javascript:alert(1)"}, {"url": ""},
                                   {"url": "https://x.cn", "events": ["no.such"]}])  # fmt: skip
def test_bad_addresses_and_events_are_refused_on_the_form(as_, given):
    assert as_("admin").post("/webhooks/", given).context["form"].errors
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("path", ["/webhooks/", "/webhooks/1/", "/webhooks/1/ping/"])
def test_only_the_administrator(as_, path):
    assert as_("clerk").post(path).status_code == 403
    assert as_("auditor").post(path).status_code == 403
    assert as_(None).post(path)["Location"].startswith("/account/login/")
