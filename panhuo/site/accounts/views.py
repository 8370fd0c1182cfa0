"""Pages of the accounts room: set-up, people, one person, trail, tokens."""

from django.contrib import messages
from django.contrib.auth import login
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from panhuo.site.accounts import acts
from panhuo.site.accounts.forms import PersonForm, SetupForm, TokenForm
from panhuo.site.accounts.models import ApiToken, Person, Trail
from panhuo.site.accounts.told import DEEDS, deed
from panhuo.site.gate import gated, open_to_all
from panhuo.site.words import say


@open_to_all
def setup(request: HttpRequest, key: str) -> HttpResponse:
    """Makes the first administrator with the key printed on the console."""
    if not acts.setup_token_valid(key):
        raise Http404
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        person = acts.make_first_administrator(key, data["username"], data["password"], data["full_name"])
        login(request, person, "django.contrib.auth.backends.ModelBackend")
        return redirect("home")
    return render(request, "accounts/setup.html", {"form": form})


@gated("people")
def people(request: HttpRequest) -> HttpResponse:
    """Everybody with an account."""
    found = Person.objects.prefetch_related("scopes").order_by("username")
    if text := request.GET.get("q", "").strip():
        found = found.filter(
            Q(username__icontains=text) | Q(full_name__icontains=text) | Q(office__icontains=text)
        )
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "accounts/people.html", {"page": page, "q": text})


@gated("people")
def person(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """One account: new, or changed."""
    subject = get_object_or_404(Person, pk=pk) if pk else None
    form = PersonForm(request.POST or None, instance=subject)
    if request.method == "POST" and form.is_valid():
        acts.save_person(request.user, form.save(commit=False), form.cleaned_data["password"], form.scope())
        messages.success(request, say("已保存", "Saved"))
        return redirect("people")
    history = subject.history.select_related("history_user")[:20] if subject else ()
    return render(request, "accounts/person.html", {"form": form, "subject": subject, "history": history})


@gated("trail")
def trail(request: HttpRequest) -> HttpResponse:
    """What everybody did, newest first."""
    rows = Trail.objects.all()
    if text := request.GET.get("q", "").strip():
        named = [code for code in DEEDS if text.lower() in deed(code).lower()]
        rows = rows.filter(
            Q(name__icontains=text) | Q(what__icontains=text) | Q(what__in=named) | Q(subject__icontains=text)
        )
    return render(
        request,
        "accounts/trail.html",
        {"page": Paginator(rows, 100).get_page(request.GET.get("page")), "q": text},
    )


@gated("token")
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own API keys; a new one is shown once."""
    form = TokenForm(request.POST or None)
    key = None
    if request.method == "POST" and form.is_valid():
        key = acts.make_token(request.user, form.cleaned_data["name"])
        form = TokenForm()
    mine = request.user.tokens.order_by("-id")
    return render(request, "accounts/tokens.html", {"form": form, "tokens": mine, "key": key})


@gated("token")
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one of one's own keys."""
    acts.revoke_token(request.user, get_object_or_404(ApiToken, pk=pk, person=request.user))
    return redirect("tokens")
