"""A workspace made from nothing: the files of the contract (design §5) with plausible rows, any number of parcels.

Used by the site's tests and by benchmarks/site_load.py. Rows come from a seeded generator, so two runs agree.
"""

import itertools
import json
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from panhuo.inventory.conflicts import CONFLICTS_SCHEMA
from panhuo.inventory.spec import dataset_spec
from panhuo.rulebook import Rulebook
from panhuo.score.potential import potential

COUNTIES = {
    "430112": (112.80, 28.36),
    "430121": (113.08, 28.25),
    "430424": (112.95, 27.08),
    "430726": (111.38, 29.58),
}
NAMES = ("月亮岛", "星城", "白沙洲", "金井", "大浦", "夹山", "湘江", "望月", "五星", "新桥")
SURNAMES = ("宏达", "湘机", "华新", "恒盛", "金鹰", "永兴", "楚天", "岳麓", "浏阳河", "资江")
LAND_USES = ("100101", "060101", "0701", "0901", "1202")
TENURES = ("granted", "granted", "granted", "allocated", "contributed", "leased", "unknown")
FINDINGS = (
    "unused_supply", "idle_not_started", "idle_suspended", "finish_overdue", "low_far", "low_tax", "mortgaged",
    "mixed_tenure", "boundary_conflict", "term_expiring",
)  # fmt: skip
TOOLS = (
    "urge_construction",
    "idle_fee",
    "agreed_resumption",
    "far_uplift",
    "split_transfer",
    "investment_promotion",
)
CELL = 0.0016
SNAPSHOT, ASSESSMENT = "2026-11-01T000000", "2026-11-02T000000"


def uscc(i: int) -> str:
    return f"91430{i % 1000:03d}MA{i:08d}"[:18]


def parcels(n: int, rng: np.random.Generator) -> pa.Table:
    codes = list(COUNTIES)
    county = np.sort(rng.integers(0, len(codes), n))
    start = np.searchsorted(county, np.arange(len(codes)))
    place = np.arange(n) - start[county]
    side = np.ceil(np.sqrt(np.bincount(county, minlength=len(codes)))).astype(int)[county]
    origin = np.array(list(COUNTIES.values()))[county]
    x0 = origin[:, 0] + (place % side) * CELL
    y0 = origin[:, 1] + (place // side) * CELL
    w, h = rng.uniform(0.4, 0.92, n) * CELL, rng.uniform(0.4, 0.92, n) * CELL
    skew = rng.uniform(-0.08, 0.08, (n, 2)) * CELL
    ring = np.stack(
        [x0, y0, x0 + w, y0 + skew[:, 0], x0 + w + skew[:, 1], y0 + h, x0, y0 + h, x0, y0], axis=1
    )
    shapes = shapely.polygons(ring.reshape(n, 5, 2))
    area = shapely.area(shapes) * 111_320.0**2 * np.cos(np.radians(y0))
    wkb = pa.array(shapely.to_wkb(shapes), pa.binary())
    holder = rng.integers(0, max(4, n // 3), n)
    acquired = [date(2004, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 7800, n)]
    price = [
        None if r < 0.1 else round(float(a * 0.0425), 2) for r, a in zip(rng.random(n), area, strict=True)
    ]
    return pa.table(
        {
            "parcel_id": [
                f"{codes[c]}001001GB{i:05d}" if n <= 99_999 else f"{codes[c]}{i:011d}"
                for i, c in enumerate(county)
            ],
            "name": [f"{NAMES[i % len(NAMES)]}{i % 997}号地" for i in range(n)],
            "division": [codes[c] for c in county],
            "address": [f"{NAMES[(i * 7) % len(NAMES)]}路{i % 300}号" for i in range(n)],
            "area_m2": np.round(area, 2),
            "drawn_area_m2": np.round(area, 2),
            "land_use": [LAND_USES[i % len(LAND_USES)] for i in range(n)],
            "land_use_scheme": ["mnr_2023"] * n,
            "planned_use": [LAND_USES[(i // 3) % len(LAND_USES)] for i in range(n)],
            "tenure": [TENURES[i % len(TENURES)] for i in range(n)],
            "holder": [f"{SURNAMES[k % len(SURNAMES)]}实业{k}公司" for k in holder],
            "holder_uscc": [uscc(int(k)) for k in holder],
            "certificate_no": [f"湘（{2010 + i % 15}）不动产权第{i:07d}号" for i in range(n)],
            "acquired_on": acquired,
            "term_end": [d.replace(year=d.year + 50, day=min(d.day, 28)) for d in acquired],
            "price_wan": price,
            "floor_area_m2": [
                None if r < 0.2 else round(float(a * r), 1)
                for r, a in zip(rng.random(n) * 1.6, area, strict=True)
            ],
            "z_min_m": [0.0 if i % 50 == 0 else None for i in range(n)],
            "z_max_m": [24.0 if i % 50 == 0 else None for i in range(n)],
            "geometry": wkb,
            "crs_given": ["EPSG:4490"] * n,
            "source_file": ["ledger.xlsx"] * n,
            "source_row": np.arange(2, n + 2),
            "valid_from": [date(2026, 11, 1)] * n,
            "ended_on": pa.nulls(n, pa.date32()),
        }
    )


def findings(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    n = len(table)
    first = rng.integers(0, len(FINDINGS), n)
    has = rng.random(n) < 0.45
    unknown = rng.random(n) < 0.25
    ids = table["parcel_id"].to_pylist()
    rows = [
        (ids[i], FINDINGS[first[i]], "unknown" if unknown[i] else "yes", i)
        for i in np.flatnonzero(has).tolist()
    ] + [
        (ids[i], FINDINGS[(first[i] + 3) % len(FINDINGS)], "yes", i)
        for i in np.flatnonzero(has & (first % 2 == 0)).tolist()
    ]
    evidence = json.dumps({"signed_on": "2019-05-01", "start_by": "2020-05-01", "started_on": None})
    return pa.table(
        {
            "parcel_id": [r[0] for r in rows],
            "finding_id": [r[1] for r in rows],
            "status": [r[2] for r in rows],
            "since": [
                date(2015, 1, 1) + timedelta(days=(r[3] * 37) % 3900) if r[2] == "yes" else None for r in rows
            ],
            "severity": [("high", "medium", "low")[r[3] % 3] for r in rows],
            "evidence": [evidence] * len(rows),
            "missing": ["start_by,started_on" if r[2] == "unknown" else None for r in rows],
            "cites": ["mnr_order_53:2;mnr_order_53:14"] * len(rows),
            "law_version": ["2026.11"] * len(rows),
        }
    )


def options(found: pa.Table) -> pa.Table:
    ids = found["parcel_id"].to_pylist()
    rows = [(p, TOOLS[(k + j) % len(TOOLS)], j) for k, p in enumerate(dict.fromkeys(ids)) for j in range(3)]
    return pa.table(
        {
            "parcel_id": [r[0] for r in rows],
            "tool_id": [r[1] for r in rows],
            "status": [("open", "check", "closed")[r[2]] for r in rows],
            "fit": [round(0.9 - 0.25 * r[2], 2) for r in rows],
            "rank": pa.array([r[2] + 1 for r in rows], pa.int32()),
            "because": [
                json.dumps(
                    [
                        {
                            "clause": "requires.0",
                            "value": True,
                            "zh": "合同约定未履行",
                            "en": "Contract not kept",
                        }
                    ]
                )
            ]
            * len(rows),
            "precedents": ["case_03,case_13"] * len(rows),
        }
    )


def appraisals(chosen: pa.Table) -> pa.Table:
    rows = [
        (p, t, party, k)
        for k, (p, t, s) in enumerate(
            zip(*(chosen[c].to_pylist() for c in ("parcel_id", "tool_id", "status")), strict=True)
        )
        if s != "closed"
        for party in ("government", "holder")
    ]
    return pa.table(
        {
            "parcel_id": [r[0] for r in rows],
            "tool_id": [r[1] for r in rows],
            "party": [r[2] for r in rows],
            "cash_wan": [float((r[3] * 131) % 900 - 300) for r in rows],
            "npv_wan": [float((r[3] * 97) % 700 - 200) for r in rows],
            "tax_wan": [float((r[3] * 13) % 60) for r in rows],
            "peak_exposure_wan": [float((r[3] * 71) % 500) for r in rows],
            "months": [float(4 + r[3] % 20) for r in rows],
            "risk": [("low", "middle", "high")[r[3] % 3] for r in rows],
        }
    )


def conflicts(table: pa.Table) -> pa.Table:
    """Each parcel over the next one in the table; the last of a county over the first of the next county."""
    ids, outlines = table["parcel_id"].to_pylist(), shapely.from_wkb(table["geometry"].to_numpy())
    corner = [
        shapely.to_wkb(shapely.box(b[0], b[1], b[0] + CELL / 9, b[1] + CELL / 9))
        for b in shapely.bounds(outlines)
    ]
    rows = [
        {
            "kind": "overlap", "status": "unknown" if i % 5 == 0 else "yes", "parcel_id": a, "other_id": b,
            "area_m2": 120.5 + i, "share": 0.02, "z_from_m": None, "z_to_m": None,
            "note": "一方缺高度范围 one height range is missing" if i % 5 == 0 else "", "geometry": corner[i],
        }
        for i, (a, b) in enumerate(itertools.pairwise(ids))
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CONFLICTS_SCHEMA)


def facts(land: pa.Table) -> pa.Table:
    """What appraisals and reports read of a diagnosis: the ledger's own fields and the date judged on."""
    names = ("parcel_id", "name", "division", "area_m2", "holder", "holder_uscc", "tenure", "term_end", "price_wan",
             "acquired_on", "land_use", "planned_use", "floor_area_m2")  # fmt: skip
    return land.select(names).append_column("as_of", pa.array([date(2026, 11, 2)] * len(land)))


def enterprises(table: pa.Table) -> pa.Table:
    rows = dict(
        zip(
            table["holder_uscc"].to_pylist(),
            zip(table["holder"].to_pylist(), table["division"].to_pylist(), strict=True),
            strict=True,
        )
    )
    n = len(rows)
    return pa.table(
        {
            "enterprise_id": list(rows),
            "name": [v[0] for v in rows.values()],
            "division": [v[1] for v in rows.values()],
            "industry": [("C35", "C26", "C38", "C14")[i % 4] for i in range(n)],
            "status": [("operating", "operating", "half_stopped", "stopped")[i % 4] for i in range(n)],
            "revenue_wan": [float((i * 733) % 90_000) for i in range(n)],
            "tax_wan": [float((i * 41) % 4_000) for i in range(n)],
            "energy_tce": [None if i % 6 == 0 else float((i * 17) % 2_000) for i in range(n)],
            "employees": pa.array([(i * 29) % 900 for i in range(n)], pa.int64()),
            "year": pa.array([2025] * n, pa.int32()),
        }
    )


def occupancies(land: pa.Table) -> pa.Table:
    """Every parcel its holder's own; the holder of the first rents on the second for longer than the law allows."""
    n, day = len(land), pa.date32()
    own = pa.table(
        {
            "parcel_id": land["parcel_id"],
            "enterprise_id": land["holder_uscc"],
            "kind": ["own"] * n,
            "area_m2": land["area_m2"],
            "from_on": pa.nulls(n, day),
            "until_on": pa.nulls(n, day),
        }
    )
    lease = {
        "parcel_id": land["parcel_id"][1].as_py(), "enterprise_id": land["holder_uscc"][0].as_py(),
        "kind": "lease_in", "area_m2": 100.0, "from_on": date(2020, 1, 1), "until_on": date(2041, 1, 1),
    }  # fmt: skip
    return pa.concat_tables([own, pa.Table.from_pylist([lease], schema=own.schema)])


def make(folder: Path, n: int = 400, seed: int = 7) -> Path:
    """Writes the workspace and returns its folder."""
    rng = np.random.default_rng(seed)
    inventory, results = folder / "inventory" / SNAPSHOT, folder / "assessments" / ASSESSMENT
    for place in (inventory / "layers", results, folder / "files", folder / "tiles", folder / "reports"):
        place.mkdir(parents=True, exist_ok=True)
    (folder / "panhuo.toml").write_text('name = "示例工作区"\n', encoding="utf-8")
    land = parcels(n, rng)
    found = findings(land, rng)
    chosen = options(found)
    firms = enterprises(land)
    tiers = ["ABCD"[i % 4] for i in range(len(firms))]
    k = len(firms)
    tables = {
        inventory / "parcels": land,
        inventory / "enterprises": firms,
        inventory / "contracts": pa.table(
            {
                "contract_no": [f"430-2019-{i:05d}" for i in range(n)],
                "parcel_id": land["parcel_id"],
                "signed_on": land["acquired_on"],
                "start_by": pa.array([None if i % 9 == 0 else date(2020, 5, 1) for i in range(n)]),
                "work_state": [("not_started", "under_way", "finished", None)[i % 4] for i in range(n)],
                "invested_wan": [float(i % 5000) for i in range(n)],
                "capacity_by": [date(2023, 12, 29)] * n,
                "promised_tax_per_mu": [10_000.0 if i % 2 else 0.001 for i in range(n)],
            }
        ),
        inventory / "encumbrances": land.slice(0, n // 10)
        .select(["parcel_id"])
        .append_column("kind", pa.array(["mortgage"] * (n // 10)))
        .append_column("amount_wan", pa.array([4000.0] * (n // 10))),
        inventory / "occupancies": occupancies(land),
        results / "facts": facts(land),
        results / "findings": found,
        results / "options": chosen,
        results / "conflicts": conflicts(land),
        results / "potential": potential(land, Rulebook.load(), date(2026, 11, 2)).grades,
        results / "appraisals": appraisals(chosen),
        results / "scores": pa.table(
            {
                "enterprise_id": firms["enterprise_id"],
                "scheme_id": ["hunan_default"] * k,
                "group_id": ["above_scale"] * k,
                "score": [round(100 - 90 * i / max(k, 1), 2) for i in range(k)],
                "rank": pa.array(range(1, k + 1), pa.int64()),
                "tier": tiers,
                "excluded_because": pa.nulls(k, pa.string()),
                "policies": pa.nulls(k, pa.string()),
            }
        ),
        results / "score_items": pa.table(
            {
                "enterprise_id": [e for e in firms["enterprise_id"].to_pylist() for _ in range(3)],
                "scheme_id": ["hunan_default"] * (3 * k),
                "indicator": ["tax_per_mu", "revenue_per_mu", "land_mu"] * k,
                "value": [12.5, 300.0, 48.0] * k,
                "base": [30.0, 600.0, None] * k,
                "points": [18.0, 12.0, None] * k,
                "note": [None, "封顶 (capped)", None] * k,
            }
        ),
        results / "plan": pa.table(
            {
                "parcel_id": land["parcel_id"].slice(0, 30),
                "tool_id": [TOOLS[i % len(TOOLS)] for i in range(min(30, n))],
                "year": pa.array([2027 + i % 3 for i in range(min(30, n))], pa.int32()),
                "order_no": pa.array(range(1, min(30, n) + 1), pa.int32()),
                "cost_wan": [100.0 + i for i in range(min(30, n))],
                "benefit_wan": [260.0 + 9 * i for i in range(min(30, n))],
            }
        ),
        results / "scoreboard": pa.table(
            {
                "division": [d for d in COUNTIES for _ in (2024, 2025)],
                "year": pa.array([2024, 2025] * len(COUNTIES), pa.int32()),
                "measure": ["idle_disposal"] * 8,
                "base_m2": [9e5 + 1e5 * i for i in range(8)],
                "done_m2": [2e5 + 3e4 * i for i in range(8)],
                "rate": [(2e5 + 3e4 * i) / (9e5 + 1e5 * i) for i in range(8)],
                "formula_id": ["idle_disposal_rate"] * 8,
            }
        ),
    }
    for path, table in tables.items():
        whole = conform(table, path.name) if path.parent == inventory else table
        pq.write_table(whole, path.with_suffix(".parquet"))
    write_layers(inventory / "layers", land)
    (folder / "inventory" / "latest").write_text(SNAPSHOT)
    (folder / "assessments" / "latest").write_text(ASSESSMENT)
    manifest = {
        "as_of": "2026-11-02",
        "law_version": "2026.11",
        "snapshot": SNAPSHOT,
        "assessment": ASSESSMENT,
        "code_version": "0.1.0",
        "counts": {"parcels": n},
        "seconds": {"diagnose": 1.0},
    }
    (results / "manifest.json").write_text(json.dumps(manifest))
    return folder


def conform(table: pa.Table, dataset: str) -> pa.Table:
    """The table with every column of its dataset, empty where the maker gave none."""
    schema = dataset_spec(dataset).arrow_schema()
    columns = [
        table[f.name].cast(f.type) if f.name in table.column_names else pa.nulls(len(table), f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)


def write_layers(folder: Path, land: pa.Table) -> None:
    """Roads and planning zones round each county's parcels, for the basemap."""
    zones, roads = [], []
    shapes = shapely.from_wkb(land["geometry"].to_numpy(zero_copy_only=False))
    divisions = np.array(land["division"].to_pylist())
    for code in COUNTIES:
        x0, y0, x1, y1 = shapely.total_bounds(shapes[divisions == code])
        zones.append(shapely.box(x0 - CELL, y0 - CELL, x1 + CELL, y1 + CELL))
        roads.append(shapely.box(x0 - CELL, (y0 + y1) / 2, x1 + CELL, (y0 + y1) / 2 + CELL / 12))
    for kind, drawn in (("zoning", zones), ("roads", roads)):
        table = pa.table(
            {
                "feature_id": [f"{kind}-{code}" for code in COUNTIES],
                "name": [f"{kind} {code}" for code in COUNTIES],
                "geometry": pa.array(shapely.to_wkb(drawn), pa.binary()),
            }
        )
        pq.write_table(conform(table, f"layers/{kind}"), folder / f"{kind}.parquet")


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 400))
