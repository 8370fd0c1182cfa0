"""Which coordinate system outlines are in, said by the file or told from the numbers, and the way to EPSG:4490.

CGCS2000 Gauss–Krüger codes run by zone: 3° with the zone in front of the east value 4513…4533 (zones 25–45), without
4534…4554; 6° with it 4491…4501 (zones 13–23), without 4502…4512. Axes are always handled as east, north.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.spec import problem

Floats = NDArray[np.float64]

CGCS2000: Final = 4490
WGS84: Final = 4326
WEB_MERCATOR: Final = 3857
PREFIXED_3: Final = 4513 - 25
PLAIN_3: Final = 4534 - 25
PREFIXED_6: Final = 4491 - 13
CHINA: Final = (73.0, 3.0, 136.0, 54.0)
"""West, south, east, north [degrees]."""
NORTH: Final = (300_000.0, 6_100_000.0)
PLAIN_EAST: Final = (100_000.0, 900_000.0)
EARTH_M: Final = 20_100_000.0
EPSG: Final = re.compile(r"(?:EPSG:)?(\d{4,6})", re.IGNORECASE)
MATCH_CONFIDENCE: Final = 60
GAUSS_KRUGER: Final = frozenset(range(4491, 4555))


@dataclass(frozen=True, slots=True)
class Placing:
    """The decision for one file: its CRS, whether x and y must be exchanged first, and what to tell the user."""

    epsg: str
    swap: bool
    problems: tuple[Problem, ...]

    @property
    def number(self) -> int:
        """The EPSG number, 0 for a system that has none."""
        return int(self.epsg.removeprefix("EPSG:")) if self.epsg.startswith("EPSG:") else 0


def place(
    bounds: Floats,
    declared: str,
    given: str | None,
    file: str,
    zone_hint: int | None = None,
    each: Callable[[], Floats] | None = None,
) -> Placing:
    """The CRS of outlines with these bounding boxes (n × 4; NaN where there is no outline).

    declared: what the file says ("EPSG:n", WKT or ""); given: what the user says, which wins; zone_hint: the 3° zone
    to take for east values without zone when nothing else tells it; each: where a box of `bounds` holds many outlines,
    gives the box of each, which is asked for only in doubt.
    Raises PanhuoError for a CRS unknown to anybody, and for rows of several systems in one file.
    """
    boxes = bounds[~np.isnan(bounds).any(axis=1)]
    code = epsg_of(given or declared, file)
    if not len(boxes):
        return Placing(code or f"EPSG:{CGCS2000}", False, ())
    whole = np.array([[*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]])
    kinds = classify(whole)
    # East of the largest latitude of China nothing can be degrees exchanged, so the rows need not be looked at.
    plain = kinds[0] == "degrees" and whole[0, 0] > CHINA[3]
    if not plain and kinds[0] in ("other", "degrees"):
        rows = each() if each else bounds
        drawn = np.flatnonzero(~np.isnan(rows).any(axis=1))
        boxes = rows[drawn]
        kinds = classify(boxes)
        refuse_mixed(kinds, drawn, boxes, file)
    kind, swap = kind_of(kinds[0])
    notes: list[Problem] = []
    if swap:
        notes.append(problem("axes_swapped", file=file, field="geometry", action="mended: x and y exchanged"))
    if given and not agrees(code, kind):
        raise PanhuoError(
            f"坐标值不可能是 {code} the coordinates cannot be {code}",
            where=f"{file}, geometry",
            why=f"({boxes[0][0]:.6g}, {boxes[0][1]:.6g}): {kind}",
            remedy="去掉 --crs 由程序判断，或改成相符的坐标系 leave --crs out or give the one that fits",
        )
    if code and (given or agrees(code, kind)):
        source = "--crs" if given else "file"
        notes.append(
            problem("crs_read", file=file, field="geometry", value=code, action=f"taken from {source}")
        )
        return Placing(code, swap, tuple(notes))
    inferred = infer(kind, zone_hint, file)
    value = f"{inferred}" if not code else f"{inferred} (file says {code})"
    notes.append(
        problem("crs_assumed", file=file, field="geometry", value=value, action="told from the coordinates")
    )
    return Placing(inferred, swap, tuple(notes))


def epsg_of(text: str, file: str) -> str:
    """ "EPSG:n" for a code or WKT, the WKT itself when it matches no code, "" for nothing."""
    if not text:
        return ""
    match = EPSG.fullmatch(text.strip())
    try:
        crs = pyproj.CRS.from_user_input(f"EPSG:{match[1]}" if match else text)
    except CRSError as fault:
        raise PanhuoError(
            "坐标系不认识 unknown coordinate system",
            where=file,
            why=f"{text[:80]}: {fault}",
            remedy="用 --crs EPSG:4547 之类指定 give --crs such as EPSG:4547",
        ) from None
    number = crs.to_epsg(MATCH_CONFIDENCE)
    if number is None and crs.name in ("WGS 84 (CRS84)", "OGC:CRS84"):
        number = WGS84
    return f"EPSG:{number}" if number else crs.to_wkt()


def classify(boxes: Floats) -> NDArray[Any]:
    """A word for each box: `degrees`, `zone:38`, `zone6:19`, `plain`, `mercator`, `other`, with `~` when swapped."""
    kinds = np.full(len(boxes), "other", dtype="<U10")
    x0, y0, x1, y1 = boxes.T
    west, south, east, north = CHINA
    degrees = (np.abs(boxes[:, [0, 2]]) <= 180).all(1) & (np.abs(boxes[:, [1, 3]]) <= 180).all(1)
    kinds[degrees] = "degrees"
    turned = degrees & (x0 >= south) & (x1 <= north) & (y0 >= west) & (y1 <= east)
    kinds[turned] = "~degrees"
    for mark, e0, e1, n0, n1 in (("", x0, x1, y0, y1), ("~", y0, y1, x0, x1)):
        level = (n0 >= NORTH[0]) & (n1 <= NORTH[1])
        zone = (e0 // 1_000_000).astype(np.int64)
        inside = level & (e1 // 1_000_000 == zone) & (e0 % 1e6 >= PLAIN_EAST[0]) & (e1 % 1e6 <= PLAIN_EAST[1])
        for word, low, high in (("zone:", 25, 45), ("zone6:", 16, 23)):
            chosen = inside & (zone >= low) & (zone <= high)
            kinds[chosen] = np.char.add(f"{mark}{word}", zone[chosen].astype(str))
        plain = level & (e0 >= PLAIN_EAST[0]) & (e1 <= PLAIN_EAST[1])
        kinds[plain & (kinds == "other")] = f"{mark}plain"
    mercator = (x0 > 8e6) & (x1 < 1.52e7) & (y0 > 0) & (y1 < 7.2e6) & (kinds == "other")
    kinds[mercator] = "mercator"
    return kinds


def refuse_mixed(kinds: NDArray[Any], rows: NDArray[Any], boxes: Floats, file: str) -> None:
    """Raises PanhuoError when rows are plainly of several coordinate systems."""
    words, first, counts = np.unique(kinds, return_index=True, return_counts=True)
    if len(words) < 2:
        return
    # A place with no range of its own can hold anything; it mixes with nothing but degrees and zoned values.
    loose = {"other", "mercator", "plain", "~plain"}
    if set(words) <= loose or (set(words) <= {"degrees", "~degrees"} and "degrees" in words):
        kinds[:] = "other" if set(words) <= loose else "degrees"
        return
    said = "; ".join(
        f"{w}: {c} rows, first row {rows[i] + 1} ({boxes[i][0]:.6g}, {boxes[i][1]:.6g})"
        for w, i, c in zip(words, first, counts, strict=True)
    )
    raise PanhuoError(
        "一个文件里混有多种坐标系 several coordinate systems in one file",
        where=f"{file}, row {rows[first[np.argmin(counts)]] + 1}, geometry",
        why=said,
        remedy="按坐标系（带号）拆成几个文件分别导入 split the file by coordinate system (zone) and import each",
    )


def kind_of(word: str) -> tuple[str, bool]:
    """The kind without its swap mark, and whether it had one."""
    return word.removeprefix("~"), word.startswith("~")


def agrees(code: str, kind: str) -> bool:
    """Whether coordinates of this kind can be of this CRS."""
    number = int(code.removeprefix("EPSG:")) if code.startswith("EPSG:") else 0
    if kind == "degrees":
        return not number or pyproj.CRS.from_epsg(number).is_geographic
    if kind.startswith("zone"):
        return code == infer(kind, None, "") or (number not in GAUSS_KRUGER and not is_geographic(number))
    return not is_geographic(number)


def is_geographic(number: int) -> bool:
    """Whether an EPSG code is in degrees."""
    return bool(number) and bool(pyproj.CRS.from_epsg(number).is_geographic)


def infer(kind: str, zone_hint: int | None, file: str) -> str:
    """The CRS that a kind of coordinates means. Raises PanhuoError when the numbers alone do not tell."""
    if kind == "degrees":
        return f"EPSG:{CGCS2000}"
    if kind == "mercator":
        return f"EPSG:{WEB_MERCATOR}"
    if kind.startswith("zone6:"):
        return f"EPSG:{PREFIXED_6 + int(kind[6:])}"
    if kind.startswith("zone:"):
        return f"EPSG:{PREFIXED_3 + int(kind[5:])}"
    if kind == "plain" and zone_hint is not None:
        return f"EPSG:{PLAIN_3 + zone_hint}"
    raise PanhuoError(
        "坐标系无法判断 the coordinate system cannot be told",
        where=f"{file}, geometry",
        why="文件未注明，坐标值不含带号 the file is silent and the east values carry no zone"
        if kind == "plain"
        else "文件未注明，坐标值不在已知范围 the file is silent and the values fit no known range",
        remedy="用 --crs 指定，如湘中 EPSG:4546（111°）、湘东 EPSG:4547（114°）、湘西 EPSG:4545（108°） "
        "give --crs, such as EPSG:4546 (CM 111°), 4547 (114°), 4545 (108°)",
    )


@cache
def lonlat_transformer(epsg: str) -> pyproj.Transformer:
    """East and north of a CRS to longitude and latitude of EPSG:4490.

    WGS 84 and CGCS2000 agree within decimetres and no public shift exists: degrees of the one are taken as the other's.
    """
    source = pyproj.CRS.from_user_input(epsg)
    target = pyproj.CRS.from_epsg(CGCS2000)
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


@cache
def is_degrees(epsg: str) -> bool:
    """Whether a CRS is in degrees that are taken for those of EPSG:4490."""
    return lonlat_transformer(epsg).definition.startswith("proj=noop")


def is_gauss_kruger(epsg: str) -> bool:
    """Whether a CRS is one of the CGCS2000 Gauss–Krüger planes, in which cadastral areas are computed."""
    return epsg.startswith("EPSG:") and int(epsg[5:]) in GAUSS_KRUGER
