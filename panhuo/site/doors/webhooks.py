"""Pages of the webhooks: the list with a form for a new one, and one webhook with what was sent and what came back."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from panhuo.site.doors import acts
from panhuo.site.doors.events import EVENTS, TRIES
from panhuo.site.doors.models import Webhook
from panhuo.site.gate import gated
from panhuo.site.words import number_given, say

PAGE = 50


class WebhookForm(forms.Form):
    url = forms.URLField(
        label=say("接收地址", "Address"), max_length=200, assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://oa.example.cn/hooks/panhuo"}),
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label=say("事件（不选为全部）", "Events (none chosen: all)"),
        choices=list(EVENTS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


@gated("webhook")
def webhooks(request: HttpRequest) -> HttpResponse:
    """Every webhook and how its deliveries went; a new one leads to its page, where its secret is shown once."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        hook = acts.make_webhook(request.user, form.cleaned_data["url"], form.cleaned_data["events"])
        return shown(request, hook, secret=hook.secret)
    arrived = Count("deliveries", filter=Q(deliveries__done_at__isnull=False))
    lost = Count("deliveries", filter=Q(deliveries__done_at=None, deliveries__tries__gte=TRIES))
    hooks = Webhook.objects.annotate(arrived=arrived, lost=lost).order_by("id")
    return render(request, "doors/webhooks.html", {"form": form, "hooks": hooks})


@gated("webhook")
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook with its deliveries, newest first."""
    return shown(request, get_object_or_404(Webhook, pk=pk))


@gated("webhook")
@require_POST
def act(request: HttpRequest, pk: int, do: str) -> HttpResponse:
    """Pauses, resumes or tries a webhook, renews its secret, or sends a delivery again."""
    hook = get_object_or_404(Webhook, pk=pk)
    if do == "secret":
        return shown(request, hook, secret=acts.renew_secret(request.user, hook))
    if do in ("pause", "resume"):
        acts.set_active(request.user, hook, do == "resume")
    elif do == "ping":
        acts.ping(request.user, hook)
    elif do == "again":
        number = number_given(request.POST.get("delivery", ""))
        lost = hook.deliveries.filter(done_at=None, tries__gte=TRIES)
        acts.send_again(request.user, get_object_or_404(lost, pk=number))
    else:
        raise Http404
    return redirect("webhook", pk)


def shown(request: HttpRequest, hook: Webhook, secret: str = "") -> HttpResponse:
    """The page of a webhook; `secret` only where it was just made."""
    pages = Paginator(hook.deliveries.order_by("-id"), PAGE)
    page = pages.get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "hook": hook,
        "secret": secret,
        "wanted": [EVENTS[e] for e in hook.events.split() if e in EVENTS],
        "deliveries": page,
        "tries": TRIES,
        "page": page.number,
        "last": pages.num_pages,
    }
    return render(request, "doors/webhook.html", context)
