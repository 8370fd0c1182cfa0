"""How soon the map shows its parcels: `python -m benchmarks.map_paint [--parcels N | --workspace WS] [--runs 3]`.

A real Chromium (software rendering, as on a machine without a graphics card) opens /map/ of a workspace served on the
loopback, as people who answer for the whole country, a city and a county; the frames it puts on the screen are taken
from its own screencast. Parcels are *painted* at the first frame that has nine tenths of the pixels which in the last
frame wear a colour of the legend; the map is *idle* when nothing is left to load or draw. Cold: an empty browser
cache; warm: the second visit. Tile archives are made beforehand, as the site does after an assessment, and their time
stands beside. Then polygons of 24 corners are asked for as the map does when one is drawn, and as the list behind it,
and names are searched for. Writes docs/benchmarks/map.md.
"""

import argparse
import base64
import io
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.province import assessed, parcels_of
from benchmarks.report import DOCS, table, write_page
from benchmarks.site_load import ROOT, prepare, served

PEOPLE: Final = {"": "the whole workspace", "43": "province", "4301": "city", "430101": "county"}
WINDOW: Final = (1440, 900)
"""Width and height [px]."""
MAP: Final = (slice(70, 860), slice(330, 1380))
"""The part of the window that holds nothing but map."""
FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
]
SHARES: Final = (0.01, 0.1, 0.5)
ASKS: Final = 20
WATCH: Final = """
window.seen = {long: [], idle: null};
new PerformanceObserver((list) => { for (const e of list.getEntries()) seen.long.push(e.duration); })
  .observe({type: "longtask", buffered: true});
new MutationObserver(() => {
  if (seen.idle === null && document.querySelector("#map[data-ready]")) seen.idle = performance.now();
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"]});
"""
FIGURES: Final = """() => {
  const resources = performance.getEntriesByType("resource");
  const setup = JSON.parse(document.getElementById("map-setup").textContent);
  return {
    origin: performance.timeOrigin, idle: seen.idle, long: seen.long,
    contentful: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    page: performance.getEntriesByType("navigation")[0].responseEnd,
    requests: resources.map((r) => [r.name.replace(location.origin, ""), r.startTime, r.duration, r.transferSize]),
    bounds: setup.bounds,
    colours: Object.values(setup.schemes)[0].values.map((v) => v[2]).concat(setup.otherColour),
  };
}"""
OPACITY: Final = 0.78
UNDER: Final = (140, 250)
"""How dark and how light the ground and the layers under a parcel are, in any channel."""
Pixels = NDArray[np.uint8]


def pixels(encoded: str) -> Pixels:
    """The map's part of a frame of the screencast."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))[MAP]


def coloured(frame: Pixels, colours: list[str]) -> NDArray[np.bool_]:
    """Which pixels wear a colour of the legend, laid over whatever is under it."""
    found = np.zeros(frame.shape[:2], bool)
    low, high = (level * (1 - OPACITY) for level in UNDER)
    for colour in colours:
        rest = frame - OPACITY * np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        found |= ((rest > low - 8) & (rest < high + 8)).all(axis=2)
    return found


def visit(page: Any, address: str) -> dict[str, Any]:
    """One opening of the map: seconds to each event, from the start of the navigation."""
    frames: list[tuple[float, str]] = []
    session = page.context.new_cdp_session(page)

    def take(frame: dict[str, Any]) -> None:
        frames.append((frame["metadata"]["timestamp"], frame["data"]))
        session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    page.goto("about:blank")
    session.on("Page.screencastFrame", take)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 90})
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#map[data-ready]", timeout=180_000)
    page.wait_for_timeout(700)
    session.send("Page.stopScreencast")
    session.detach()
    seen = page.evaluate(FIGURES)
    at = [(t - seen["origin"] / 1000, pixels(data)) for t, data in frames if t >= seen["origin"] / 1000]
    parcels = coloured(at[-1][1], seen["colours"])
    have = [(t, float(coloured(frame, seen["colours"])[parcels].mean())) for t, frame in at]
    return {
        "page": seen["page"] / 1000,
        "contentful": (seen["contentful"] or 0) / 1000,
        "painted": next(t for t, share in have if share >= 0.9),
        "idle": seen["idle"] / 1000,
        "long": sum(seen["long"]) / 1000,
        "longest": max(seen["long"], default=0) / 1000,
        "requests": seen["requests"],
        "bytes": sum(r[3] for r in seen["requests"]),
        "parcel_pixels": int(parcels.sum()),
        "frames": have,
        "last": at[-1][1],
        "bounds": seen["bounds"],
    }


def measured(
    root: Path, runs: int, chromium: str, look: Path | None
) -> tuple[list[list[str]], list[list[str]], dict[str, float]]:
    """Rows of paints for each person and state of the cache, rows of answers, and what was made beforehand [s]."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    out: list[list[str]] = []
    whole: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-map-") as name, ExitStack() as stack:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PANHUO_")}
        made = Path(name) / "made.json"
        command = [
            sys.executable,
            "-m",
            "benchmarks.map_paint",
            "--prepare",
            str(made),
            "--workspace",
            str(root),
        ]
        subprocess.run(command, env=environment, check=True, cwd=ROOT)
        prepared = json.loads(made.read_text(encoding="utf-8"))
        host, _ = stack.enter_context(served(root, environment, Path(name)))
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=chromium, args=FLAGS)
        for person, who in zip(prepared["people"], PEOPLE.values(), strict=True):
            cold, warm = [], []
            for _ in range(runs):
                context = browser.new_context(viewport={"width": WINDOW[0], "height": WINDOW[1]})
                context.add_cookies([{"name": "sessionid", "value": person["session"], "url": host}])
                context.add_init_script(WATCH)
                page = context.new_page()
                cold.append(visit(page, f"{host}/map/"))
                warm.append(visit(page, f"{host}/map/"))
                context.close()
            for state, visits in (("cold", cold), ("warm", warm)):
                out.append([f"{who}, {state}", *figures(visits)])
                print(" | ".join(out[-1]), file=sys.stderr, flush=True)
            whole = whole or cold[0]["bounds"]
            if look:
                tell(cold[-1], look / f"{who.replace(' ', '-')}")
        browser.close()
        told = answers(host, prepared["people"][0], whole)
    return out, told, prepared["seconds"]


def answers(host: str, person: dict[str, Any], bounds: list[float]) -> list[list[str]]:
    """How long selections and searches take [ms]; each polygon is new to the site when the map asks for it."""
    chance = random.Random(1)
    asks: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for share in SHARES:
        drawn = [polygon(bounds, share, chance) for _ in range(ASKS)]
        asks[f"selection, {share:.0%} of the width"] = [("/map/selected/", {"area": a}) for a in drawn]
        asks[f"the list of the same, {share:.0%}"] = [("/ledger/parcels/", {"area": a}) for a in drawn]
    asks["search: a parcel's id"] = [("/map/find/", {"q": i}) for i in person["parcels"][:ASKS]]
    asks["search: the start of an id"] = [("/map/find/", {"q": i[:11]}) for i in person["parcels"][:ASKS]]
    asks["search: nothing answers"] = [("/map/find/", {"q": f"无此{i}"}) for i in range(ASKS)]
    out = []
    for name, questions in asks.items():
        took = []
        for path, query in questions:
            request = urllib.request.Request(
                f"{host}{path}?{urlencode(query)}", headers={"Cookie": f"sessionid={person['session']}"}
            )
            began = time.perf_counter()
            with urllib.request.urlopen(request) as answer:
                answer.read()
            took.append((time.perf_counter() - began) * 1000)
        took.sort()
        out.append([name, f"{median(took):.0f}", f"{took[int(len(took) * 0.95)]:.0f}", f"{took[-1]:.0f}"])
        print(" | ".join(out[-1]), file=sys.stderr, flush=True)
    return out


def polygon(bounds: list[float], share: float, chance: random.Random) -> str:
    """A ragged polygon of 24 corners, as wide and high as that share of the bounds, somewhere in them."""
    west, south, east, north = bounds
    wide, high = (east - west) * share / 2, (north - south) * share / 2
    x, y = chance.uniform(west + wide, east - wide), chance.uniform(south + high, north - high)
    turns = [2 * math.pi * i / 24 for i in range(24)]
    return ";".join(
        f"{x + wide * chance.uniform(0.5, 1) * math.cos(t):.6f},{y + high * chance.uniform(0.5, 1) * math.sin(t):.6f}"
        for t in turns
    )


def tell(seen: dict[str, Any], path: Path) -> None:
    """Everything of one visit, to look into: the waterfall, the frames, the last picture."""
    Image.fromarray(seen["last"]).save(path.with_suffix(".png"))
    lines = [
        f"{start:8.0f} {took:8.0f} {size:9d} {name[-90:]}" for name, start, took, size in seen["requests"]
    ]
    lines += [f"frame {t:6.2f} {share:.3f}" for t, share in seen["frames"]]
    path.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


ANSWERED: Final = ("asked by one person of the whole workspace", "median ms", "p95 ms", "longest ms")
SAID: Final = (
    f"{ASKS} of each over HTTP, one after another. A selection is a ragged polygon of 24 corners, as wide and high as "
    "that share of the workspace: its count, area, findings, and the ids to outline where they are few. Each polygon "
    "is asked for once as the map asks, then once as the whole ledger page."
)
HEADS: Final = (
    "who, cache", "first content s", "parcels painted s", "longest s", "idle s", "requests", "MB", "script busy s",
)  # fmt: skip


def figures(visits: list[dict[str, Any]]) -> list[str]:
    """The medians of some visits, and the longest to parcels painted, as the table shows them."""

    def mid(name: str) -> float:
        return float(median(v[name] for v in visits))

    return [
        f"{mid('contentful'):.2f}", f"{mid('painted'):.2f}", f"{max(v['painted'] for v in visits):.2f}",
        f"{mid('idle'):.2f}", f"{median(len(v['requests']) for v in visits):.0f}", f"{mid('bytes') / 1e6:.2f}",
        f"{mid('long'):.2f}",
    ]  # fmt: skip


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="an assessed workspace; made where none is named")
    parser.add_argument("--parcels", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=DOCS)
    parser.add_argument("--look", type=Path, help="a folder for the waterfall and picture of each visit")
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepare:
        made = prepare(options.workspace, tuple(PEOPLE))
        options.prepare.write_text(json.dumps(made), encoding="utf-8")
        return
    chromium = shutil.which("chromium")
    if chromium is None:
        print(
            "no chromium here: the map's first paint was not measured (apt-get install chromium)", flush=True
        )
        return
    with assessed(options.workspace, options.parcels) as workspace:
        parcels = parcels_of(workspace, ["parcel_id"]).num_rows
        rows, told, seconds = measured(workspace.root, options.runs, chromium, options.look)
    words = (
        f"{parcels:,} parcels, {options.runs} visits each, medians; Chromium "
        f"headless with software rendering, {WINDOW[0]} × {WINDOW[1]}, on the same cores as the site, "
        "its screencast running. Painted: the first frame with nine tenths of the pixels that wear a legend's colour "
        "in the last. Idle: nothing left to load or draw. Cold: empty browser cache. "
        f"Made beforehand: {', '.join(f'{what} {s:.1f} s' for what, s in seconds.items())}."
    )
    write_page(
        options.folder,
        "map",
        "The map's first paint",
        words,
        [*table(HEADS, rows), "", "## Selection and search", "", SAID, "", *table(ANSWERED, told)],
    )


if __name__ == "__main__":
    main()
