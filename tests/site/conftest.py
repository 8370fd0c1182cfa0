"""A small made workspace, the site over it, and the standing cast of people every refusal test uses."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import made_workspace

ROOT = Path(tempfile.mkdtemp(prefix="panhuo-site-"))
made_workspace.make(ROOT, 120)
os.environ["PANHUO_WORKSPACE"] = str(ROOT)
os.environ["DJANGO_SETTINGS_MODULE"] = "panhuo.site.settings"

import django  # noqa: E402

django.setup()
from django.conf import settings  # noqa: E402

# Ten people are made for most tests; the real hash is slow by design.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

import pytest  # noqa: E402
from django.test import Client  # noqa: E402

from panhuo.site.accounts.models import AreaScope, Person  # noqa: E402
from panhuo.site.shelf import one  # noqa: E402

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
