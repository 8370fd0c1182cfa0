"""How soon the map shows its parcels: `python -m benchmarks.map_paint [--parcels N | --workspace WS] [--runs 3]`.

A real Chromium (software rendering, as on a machine without a graphics card) opens /map/ of a workspace served on the
loopback, as people who answer for the whole country, a city and a county; the frames it puts on the screen are taken
from its own screencast. Parcels are *painted* at the first frame that has nine tenths of the pixels which in the last
frame wear a colour of the legend; the map is *idle* when nothing is left to load or draw. Cold: an empty browser
cache; warm: the second visit. Tile archives are made beforehand, as the site does after an assessment, and their time
stands beside. Writes docs/benchmarks/map.md.
"""

import argparse
import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.province import make_workspace
from benchmarks.report import DOCS, table, write_page
from benchmarks.site_load import PROGRAM, ROOT, prepare, served

PEOPLE: Final = {"": "the whole workspace", "43": "province", "4301": "city", "430101": "county"}
WINDOW: Final = {"width": 1440, "height": 900}
MAP: Final = (slice(70, 860), slice(330, 1380))
"""The part of the window that holds nothing but map."""
FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
]
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
    }


def measured(
    root: Path, runs: int, chromium: str, look: Path | None
) -> tuple[list[list[str]], dict[str, float]]:
    """A row for each person and state of the cache; and what was made beforehand, in seconds."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    out = []
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
                context = browser.new_context(viewport=WINDOW)
                context.add_cookies([{"name": "sessionid", "value": person["session"], "url": host}])
                context.add_init_script(WATCH)
                page = context.new_page()
                cold.append(visit(page, f"{host}/map/"))
                warm.append(visit(page, f"{host}/map/"))
                context.close()
            for state, visits in (("cold", cold), ("warm", warm)):
                out.append([f"{who}, {state}", *figures(visits)])
                print(" | ".join(out[-1]), file=sys.stderr, flush=True)
            if look:
                tell(cold[-1], look / f"{who.replace(' ', '-')}")
        browser.close()
    return out, prepared["seconds"]


def tell(seen: dict[str, Any], path: Path) -> None:
    """Everything of one visit, to look into: the waterfall, the frames, the last picture."""
    Image.fromarray(seen["last"]).save(path.with_suffix(".png"))
    lines = [
        f"{start:8.0f} {took:8.0f} {size:9d} {name[-90:]}" for name, start, took, size in seen["requests"]
    ]
    lines += [f"frame {t:6.2f} {share:.3f}" for t, share in seen["frames"]]
    path.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


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
        from panhuo.site.maps.archives import ahead  # noqa: PLC0415

        began = time.perf_counter()
        ahead()
        made["seconds"]["layers"] = time.perf_counter() - began
        options.prepare.write_text(json.dumps(made), encoding="utf-8")
        return
    chromium = shutil.which("chromium")
    if chromium is None:
        print(
            "no chromium here: the map's first paint was not measured (apt-get install chromium)", flush=True
        )
        return
    with ExitStack() as stack:
        root = options.workspace
        if root is None:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-map-"))) / "province"
            make_workspace(root, options.parcels)
            subprocess.run([*PROGRAM, "assess", str(root)], check=True)
        from panhuo.workspace.store import Workspace  # noqa: PLC0415

        held = Workspace.open(root).dataset("parcels", columns=["parcel_id"])
        rows, seconds = measured(root, options.runs, chromium, options.look)
    words = (
        f"{held.num_rows if held is not None else 0:,} parcels, {options.runs} visits each, medians; Chromium "
        f"headless with software rendering, {WINDOW['width']} × {WINDOW['height']}, on the same cores as the site, "
        "its screencast running. Painted: the first frame with nine tenths of the pixels that wear a legend's colour "
        "in the last. Idle: nothing left to load or draw. Cold: empty browser cache. "
        f"Made beforehand: {', '.join(f'{what} {s:.1f} s' for what, s in seconds.items())}."
    )
    write_page(options.folder, "map", "The map's first paint", words, table(HEADS, rows))


if __name__ == "__main__":
    main()
