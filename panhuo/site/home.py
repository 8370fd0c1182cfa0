"""The first page, and the pages for what went wrong."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static

from panhuo.site import gate, shelf
from panhuo.site.boards.views import page
from panhuo.site.gate import open_to_all


@open_to_all
def home(request: HttpRequest) -> HttpResponse:
    """The board of one's own land; the public list for the public; the login for strangers."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    if not gate.may(request.user, "see"):
        return redirect("public")
    return page(request)


@open_to_all
def icon(request: HttpRequest) -> HttpResponse:
    """Where a browser looks for the icon of what is no page of ours: a PDF, a JSON answer."""
    return redirect(static("panhuo/icon.svg"), permanent=True)


@open_to_all
def health(request: HttpRequest) -> HttpResponse:
    """For a watcher: the site answers."""
    return JsonResponse({"ok": True})


def refused(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return render(request, "refused.html", status=403)


def missing(request: HttpRequest, exception: Any = None) -> HttpResponse:
    why = exception if isinstance(exception, shelf.FileGone) else None
    return render(request, "missing.html", {"why": why}, status=404)
