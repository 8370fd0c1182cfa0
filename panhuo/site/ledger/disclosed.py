"""What the public may read of a parcel that was published (闲置土地处置办法 art 11: 位置、使用权人、闲置时间).

A holder is named only where it is evidently an organisation; anybody else's name shows its first character. Numbers by
which a person could be called or known are taken out of free text.
"""

import re
from collections.abc import Mapping
from typing import Final

from panhuo.core.ids import is_identity_number, is_uscc
from panhuo.inventory.spec import code_list
from panhuo.site.labels import rulebook
from panhuo.site.ledger.models import Publication
from panhuo.site.shelf import Row, rows

PLAIN: Final = ("parcel_id", "name", "division", "address", "area_m2", "land_use", "holder")
PUBLIC_FIELDS: Final = (*PLAIN, "findings", "since", "lon", "lat")
ORGANISATION: Final = re.compile(
    r"公司|集团|工厂|[^\s]{3}厂$|银行|政府|委员会|管委会|居委会|村委会|合作社|联社|大学|学院|学校|中学|小学|医院|中心"
    r"|研究[所院]|事务所|办事处|管理[局处站]|[^\s]{2}局$|协会|基金会|商会|[林农]场$|部队|\b(Ltd|Limited|Inc|Corp|Company|LLC)\b",
    re.IGNORECASE,
)
"""Words that only an organisation has in its name."""
PERSONAL: Final = re.compile(
    r"(?<![0-9A-Za-z])(\d{17}[\dXx]|\d{15}|1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8})(?![0-9A-Za-z])", re.ASCII
)
"""Identity numbers of 18 and 15 digits, mobile and fixed telephone numbers."""
TAKEN_OUT: Final = "***"


def published_rows() -> list[Row]:
    """Published parcels, public fields only, findings only those whose rule says under which article."""
    ids = list(Publication.objects.values_list("parcel_id", flat=True))
    told = [name for name, rule in rulebook().rules.items() if rule.disclosed]
    found = rows(
        f"""SELECT {", ".join(PLAIN)}, holder_type, holder_uscc, coalesce(f.findings, []) AS findings, f.since, lon, lat
        FROM parcels LEFT JOIN (
            SELECT parcel_id, list_sort(list(finding_id)) AS findings, min(since) AS since FROM findings
            WHERE status = 'yes' AND list_contains(?::VARCHAR[], finding_id)
              AND parcel_id IN (SELECT unnest(?::VARCHAR[]))
            GROUP BY parcel_id
        ) f USING (parcel_id)
        WHERE parcel_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY division, parcel_id""",
        (told, ids, ids),
    )
    return [disclosed(row) for row in found]


def disclosed(row: Row) -> Row:
    """The public fields of a parcel's row, its holder masked unless it is an organisation."""
    shown = public_name(row["holder"], row["holder_type"], row["holder_uscc"])
    told = {field: row[field] for field in PUBLIC_FIELDS} | {"holder": without_numbers(shown)}
    for field in ("name", "address"):
        told[field] = public_text(row[field], {row["holder"]: shown})
    return told


def public_name(holder: str | None, kind: str | None, code: str | None) -> str | None:
    """A holder as the public reads it: in full only where it is an organisation."""
    return holder if is_organisation(holder, kind, code) else masked(holder)


def public_text(text: str | None, names: Mapping[str | None, str | None]) -> str | None:
    """Free text with each of `names` as the public reads it, and without numbers of persons."""
    for name, shown in names.items():
        text = text.replace(name, shown or "") if text and name else text
    return without_numbers(text)


def is_organisation(holder: str | None, kind: str | None, code: str | None) -> bool:
    """Whether the holder is evidently no natural person, by its kind, its code (证件号) or its name."""
    if not holder or kind == "person" or (code and is_identity_number(code)):
        return False
    return kind in code_list("holder_type") or is_uscc(code or "") or ORGANISATION.search(holder) is not None


def masked(name: str | None) -> str | None:
    """张三 as 张**, whatever its length."""
    return f"{name[0]}**" if name else name


def without_numbers(text: str | None) -> str | None:
    return PERSONAL.sub(TAKEN_OUT, text) if text else text
