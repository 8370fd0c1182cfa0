"""An office at work, for locust: lists, parcels, enterprises, boards, law, map, QGIS, programs, each on their own land.

Run by `python -m benchmarks.site_load`, which names in PANHUO_LOAD a JSON file of people: the session cookie, ids of
parcels and enterprises of their land, how much of each there is, boxes in it, and their tile archive with its length
and mean tile.
"""

import itertools
import json
import os
import random
from pathlib import Path

from locust import HttpUser, between, task

PEOPLE = itertools.cycle(json.loads(Path(os.environ["PANHUO_LOAD"]).read_text(encoding="utf-8")))
WAIT_S = (float(os.environ.get("PANHUO_LOAD_WAIT", "1")), float(os.environ.get("PANHUO_LOAD_WAIT", "1")) * 3)
TILES_IN_VIEW = 8


class Officer(HttpUser):
    """One signed-in person who opens a page, reads it, and opens the next."""

    wait_time = between(*WAIT_S)

    def on_start(self):
        self.person = next(PEOPLE)
        self.dice = random.Random(self.person["number"])
        self.client.cookies.set("sessionid", self.person["session"])

    def listed(self, name, query, rows_only=True, dataset="parcels"):
        """The list as htmx asks for it, or the whole page."""
        headers = {"HX-Request": "true", "HX-Target": "list"} if rows_only else {}
        self.client.get(f"/ledger/{dataset}/?{query}", name=f"list: {name}", headers=headers)

    @task(3)
    def open_the_list(self):
        self.listed("whole page", "", rows_only=False)

    @task(3)
    def filter_by_finding(self):
        self.listed("by finding", f"findings={self.dice.choice(self.person['findings'])}")

    @task(2)
    def filter_by_area_and_finding(self):
        self.listed("by area and tool", f"area_m2.min={self.dice.randrange(500, 9000)}&first_tool=idle_fee")

    @task(2)
    def search(self):
        self.listed("by words", f"q={self.dice.choice(self.person['parcels'])[-6:]}")

    @task(2)
    def sort(self):
        self.listed("sorted", f"sort={self.dice.choice(['-area_m2', 'since', '-price_wan', 'name'])}")

    @task(2)
    def deep_page(self):
        self.listed("deep page", f"page={self.dice.randrange(1, self.person['pages'] + 1)}")

    @task(1)
    def deep_page_sorted(self):
        self.listed(
            "deep page, sorted", f"sort=-area_m2&page={self.dice.randrange(1, self.person['pages'] + 1)}"
        )

    @task(10)
    def parcel(self):
        self.client.get(f"/parcel/{self.dice.choice(self.person['parcels'])}/", name="parcel page")

    @task(4)
    def enterprise(self):
        self.client.get(
            f"/enterprise/{self.dice.choice(self.person['enterprises'])}/", name="enterprise page"
        )

    @task(2)
    def enterprise_list(self):
        query = self.dice.choice(["", "sort=-revenue_wan", "status=stopped", "tier=D&sort=tax_wan", "q=00"])
        self.listed("enterprises", query, dataset="enterprises")

    @task(2)
    def contract_list(self):
        query = self.dice.choice(
            ["", "sort=-invested_wan", "work_state=not_started", "start_by.max=2020-01-01"]
        )
        self.listed("contracts", query, dataset="contracts")

    @task(2)
    def board(self):
        self.client.get("/", name="board")

    @task(1)
    def board_of_a_list(self):
        self.client.get(
            f"/boards/?findings={self.dice.choice(self.person['findings'])}", name="board of a list"
        )

    @task(1)
    def law(self):
        self.client.get("/law/", name="law: list")
        self.client.get(f"/law/rules/{self.dice.choice(self.person['findings'])}/", name="law: a rule")

    @task(1)
    def case(self):
        self.client.get(f"/cases/case_{self.dice.randrange(1, 21):02d}/", name="a case")

    @task(3)
    def features(self):
        """QGIS: a page of a collection, from its start or from deep inside, or what lies in view."""
        name = self.dice.choice(("parcels", "findings"))
        address, total = f"/ogc/collections/{name}/items", self.person[f"{name}_total"]
        self.client.get(address, name=f"OGC {name}: first page")
        self.client.get(f"{address}?offset={self.dice.randrange(total)}", name=f"OGC {name}: deep page")
        self.client.get(
            f"{address}?bbox={self.dice.choice(self.person['boxes'])}", name=f"OGC {name}: in view"
        )

    @task(2)
    def program(self):
        self.client.get(
            f"/api/v1/parcels?page={self.dice.randrange(1, self.person['pages'] + 1)}", name="API: list"
        )
        self.client.get(f"/api/v1/parcels/{self.dice.choice(self.person['parcels'])}", name="API: a parcel")

    @task(1)
    def open_the_map(self):
        self.client.get("/map/", name="map page")

    @task(6)
    def move_the_map(self):
        """A view's worth of tiles: ranges of the archive's mean tile length, anywhere in it."""
        archive = self.person["archive"]
        for _ in range(TILES_IN_VIEW):
            start = self.dice.randrange(max(1, archive["bytes"] - archive["tile"]))
            asked = {"Range": f"bytes={start}-{start + archive['tile'] - 1}"}
            with self.client.get(archive["url"], headers=asked, name="tile", catch_response=True) as answer:
                if answer.status_code != 206:
                    answer.failure(f"{answer.status_code} instead of 206")
