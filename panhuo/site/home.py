"""The first page, and the pages for what went wrong."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from panhuo.site import gate
from panhuo.site.boards.figures import board
from panhuo.site.gate import gated, open_to_all


@open_to_all
def home(request: HttpRequest) -> HttpResponse:
    """The board of one's own land; the public list for the public; the login for strangers."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    if not gate.may(request.user, "see"):
        return redirect("public")
    return overview(request)


@gated("see")
def overview(request: HttpRequest) -> HttpResponse:
    """宗/亩/亿元 of the person's land by finding, tool, tier and year, each figure a link to its list."""
    figures = board(request.user)
    return render(
        request, "home.html", {"board": figures, "charts": json.dumps(figures["charts"], ensure_ascii=False)}
    )


@open_to_all
def health(request: HttpRequest) -> HttpResponse:
    """For a watcher: the site answers."""
    return JsonResponse({"ok": True})


def refused(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return render(request, "refused.html", status=403)


def missing(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return render(request, "missing.html", status=404)
