"""Whatever is asked of the API and of the OGC endpoint, the answer is never a fault of ours (schemathesis)."""

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis import openapi

from panhuo.site.accounts import acts as accounts
from panhuo.site.doors.ogc import CONFORMANCE
from panhuo.site.wsgi import application

EXAMPLES = 10


@pytest.fixture
def one_connection():
    """A request leaves the test's transaction open, as it does with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("document", ["/api/v1/openapi.json", "/ogc/api"])
def test_no_request_breaks_it(cast, one_connection, document):
    """Every operation with generated parameters, good and bad, as a clerk's program."""
    head = {"Authorization": f"Bearer {accounts.make_token(cast['clerk'], 'x')}"}
    schema = openapi.from_wsgi(document, application, headers=head)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 4
    codes = set()
    for operation in operations:

        @settings(
            max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def probe(case):
            answer = case.call(headers=head)
            codes.add(answer.status_code)
            assert answer.status_code < 500, case.as_curl_command()

        probe()
    assert 200 in codes
    assert 401 not in codes


BAD = (
"page=0", "page=x", "page=-1", f"page={10**30}", "page=²", "size=x", f"size={10**30}", "sort=-", "sort=nothing",
     "col=", "col=nothing", "box=1", "box=nan,nan,nan,nan", "area=1,1", "area_m2.min=1e999", "area_m2.max=-inf",
     "plan_year=99999999999999999999", "findings.min=x", "findings.max=1", "since.min=0000-00-00", "q=%00", "q=%ff",
     "area_m2=%00", "division=%00", "nothing=1", "findings.nothing=1", "since.has=20", "findings.has=low"
)  # fmt: skip


def test_a_list_asked_badly_is_refused_or_answered(as_, cast):
    head = {"Authorization": f"Bearer {accounts.make_token(cast['clerk'], 'x')}"}
    client = as_("clerk")
    for query in BAD:
        for address in (
            *(f"/ledger/{dataset}/" for dataset in ("parcels", "enterprises", "contracts")),
            "/api/v1/parcels",
            "/ogc/collections/parcels/items",
        ):
            answer = client.get(f"{address}?{query}", headers=head)
            assert answer.status_code in (200, 400, 422), (address, query)


def test_the_claims_are_those_that_are_tested():
    assert [c.split("spec/")[1] for c in CONFORMANCE] == [
        "ogcapi-features-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/geojson", "ogcapi-features-1/1.0/conf/oas30",
        "ogcapi-features-2/1.0/conf/crs", "ogcapi-features-3/1.0/conf/queryables",
        "ogcapi-features-3/1.0/conf/queryables-query-parameters",
    ]  # fmt: skip
