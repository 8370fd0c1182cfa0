"""Which firms of a workspace are scored together, by which scheme, and on what land."""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError, Problem
from panhuo.engines import Tables
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import pick_scheme, scheme
from panhuo.rulebook.scheme_schema import Scheme
from panhuo.score.land_base import PARCELS
from panhuo.score.whatif import Inputs


def rankings(
    tables: Tables, book: Rulebook, place: str, on: date, problems: list[Problem], named: str = ""
) -> Iterator[tuple[Scheme, Inputs]]:
    """Each scheme with the firms it ranks together: those of one city, by the scheme of their county.

    tables: enterprises, occupancies, parcels; place: where firms without a division are; named: one scheme for all
    instead. A county without a scheme in force is a problem row. Raises PanhuoError when no scheme bears the name.
    """
    firms = tables.get("enterprises")
    if firms is None or not firms.num_rows:
        return
    county = pc.fill_null(pc.utf8_slice_codeunits(firms["division"], 0, 6), place)
    schemes: dict[str, str] = {}
    for code in sorted(set(county.to_pylist())):
        if named:
            schemes[code] = named
            continue
        try:
            schemes[code] = pick_scheme(book, code or place, on).id
        except PanhuoError as refused:
            problems.append(Problem("not_scored", field="enterprises", value=code, action=str(refused.what)))
    # Firms of one city under one scheme are ranked together.
    for scheme_id, city in sorted({(scheme_id, code[:4]) for code, scheme_id in schemes.items()}):
        mine = [code for code, chosen in schemes.items() if (chosen, code[:4]) == (scheme_id, city)]
        rows = firms.filter(pc.is_in(county, pa.array(mine, pa.string())))
        where = mine[0] or place
        rule = scheme(book, Scheme, named, on, where) if named else pick_scheme(book, where, on)
        yield rule, Inputs(rows, *ground_of(rows, tables), on)


def ground_of(firms: pa.Table, tables: Tables) -> tuple[pa.Table | None, pa.Table | None]:
    """The occupancies and parcels that the land of some firms is reckoned from: with all who share their parcels."""
    ids = pc.unique(firms["enterprise_id"].combine_chunks())
    uses, parcels = tables.get("occupancies"), tables.get("parcels")
    used = pa.array([], pa.string())
    if uses is not None:
        used = uses.filter(pc.is_in(uses["enterprise_id"], ids))["parcel_id"].combine_chunks()
        uses = uses.filter(pc.is_in(uses["parcel_id"], used))
    if parcels is not None:
        mine = pc.is_in(parcels["parcel_id"], used)
        if "holder_uscc" in parcels.column_names:
            mine = pc.or_(mine, pc.is_in(parcels["holder_uscc"], ids))
        parcels = parcels.select([c for c in PARCELS.names if c in parcels.column_names]).filter(mine)
    return uses, parcels
