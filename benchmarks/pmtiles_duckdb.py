"""PMTiles through DuckDB's ST_AsMVT: what a tiler of SQL would be. Used by tiles_bench only."""

import gzip
from pathlib import Path

import duckdb
import duckdb_extension_spatial

from panhuo.workspace.pmtiles import GZIP, HEAD, MAGIC, directories, first_of, hilbert

MVT = 1
SQL = """
    WITH boxed AS (SELECT *, {span} AS span FROM m),
    spread AS (
        SELECT b.* EXCLUDE (span), x, y FROM boxed b,
               LATERAL unnest(range(floor((ST_XMin(g) + {half}) / span)::INT,
                                    floor((ST_XMax(g) + {half}) / span)::INT + 1)) AS a(x),
               LATERAL unnest(range(floor(({half} - ST_YMax(g)) / span)::INT,
                                    floor(({half} - ST_YMin(g)) / span)::INT + 1)) AS c(y))
    SELECT x, y, ST_AsMVT(t, 'parcels', 4096, 'geom') AS tile FROM (
        SELECT x, y, {{'parcel_id': parcel_id, 'name': name, 'holder': holder, 'area_m2': area_m2, 'finding': finding,
                'severity': severity, 'tier': tier, 'plan': plan,
                'geom': ST_AsMVTGeom(g, ST_Extent(ST_TileEnvelope({zoom}, x::INT, y::INT)), 4096, 64, true)}} AS t
        FROM spread) WHERE t.geom IS NOT NULL GROUP BY x, y
"""
HALF = 20_037_508.342789244


def bake(rows: Path, target: Path, zooms: range) -> None:
    """The parcels of a GeoParquet file at `zooms`."""
    db = duckdb.connect()
    db.execute("SET threads = 2")
    extension = next(Path(duckdb_extension_spatial.__file__).parent.rglob("spatial.duckdb_extension"))
    db.execute(f"LOAD '{extension}'")
    db.execute(
        f"CREATE TABLE m AS SELECT * EXCLUDE geometry, ST_Transform(geometry, 'EPSG:4326', 'EPSG:3857', "
        f"always_xy := true) AS g FROM '{rows}'"
    )
    entries, data = [], []
    at = 0
    for zoom in zooms:
        found = db.execute(SQL.format(zoom=zoom, half=HALF, span=2 * HALF / 2**zoom)).fetchall()
        ids = [first_of(zoom) + hilbert(zoom, x, y) for x, y, _ in found]
        for tile_id, content in sorted(zip(ids, (gzip.compress(t) for *_, t in found), strict=True)):
            entries.append((tile_id, 1, at, len(content)))
            data.append(content)
            at += len(content)
    root, leaves = directories(entries)
    metadata = gzip.compress(b'{"vector_layers": [{"id": "parcels", "fields": {}}]}')
    end = HEAD.size + len(root) + len(metadata)
    sections = (
        HEAD.size,
        len(root),
        HEAD.size + len(root),
        len(metadata),
        end,
        len(leaves),
        end + len(leaves),
        at,
    )
    head = HEAD.pack(MAGIC, 3, *sections, *[len(entries)] * 3, 1, GZIP, GZIP, MVT, zooms[0], zooms[-1],
                     *(-1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000), 0, 0, 0)  # fmt: skip
    target.write_bytes(b"".join([head, root, metadata, leaves, *data]))
