"""PMTiles through DuckDB's ST_AsMVT: what a tiler of SQL would be. Used by tiles_bench only."""

import gzip
from pathlib import Path

import duckdb
import duckdb_extension_spatial

from panhuo.workspace.pmtiles import tile_id, write_tiles

COLUMNS = ("parcel_id", "name", "holder", "area_m2", "finding", "severity", "tier", "plan")
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
    tiles = []
    for zoom in zooms:
        found = db.execute(SQL.format(zoom=zoom, half=HALF, span=2 * HALF / 2**zoom)).fetchall()
        tiles += [(tile_id(zoom, x, y), gzip.compress(content)) for x, y, content in found]
    fields = dict.fromkeys(COLUMNS, "String")
    layer = {"id": "parcels", "fields": fields, "minzoom": zooms[0], "maxzoom": zooms[-1]}
    write_tiles(tiles, target, {"vector_layers": [layer]}, (-180, -85, 180, 85))
