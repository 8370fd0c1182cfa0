"""Identifiers of Chinese land and enterprise records, with their checks.

Sources: GB/T 37346-2019 (不动产单元代码, no check digit), GB 32100-2015 (统一社会信用代码), GB 11714 (组织机构代码),
GB 11643-1999 (公民身份号码).
"""

import re
from typing import Final

from panhuo.core.problems import PanhuoError

PARCEL_CODE: Final = re.compile(r"\d{12}[GJZ][A-Z]\d{5}")
DIVISION: Final = re.compile(r"\d{2}(\d{2}(\d{2}(\d{3}(\d{3})?)?)?)?", re.ASCII)
LEVELS: Final = (2, 4, 6, 9)
"""Digits of a province, city, county and township."""

USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
IDENTITY_NUMBER: Final = re.compile(
    r"\d{6}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]", re.ASCII
)
ORG_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
ORG_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def checked_division(text: str) -> str:
    """A division code (行政区划代码) or the start of one, as given; "" for none. Raises PanhuoError for others."""
    if text and not DIVISION.fullmatch(text):
        raise PanhuoError(
            f"不是行政区划代码 not a division code: {text}", remedy="写成 43、4301 或 430102 write it so"
        )
    return text


def division_stem(code: str) -> str:
    """What the codes of all that lies in a division begin with: 431000 → 4310, 500000 → 50, 430112 as it is."""
    return next((code[:size] for size in LEVELS if not code[size:].strip("0")), code)


def is_parcel_code(text: str) -> bool:
    """Whether `text` is a 19-digit 宗地代码."""
    return PARCEL_CODE.fullmatch(text) is not None


def org_check_digit(body: str) -> str:
    """The check character of an 8-character 组织机构代码 body."""
    total = sum(ORG_ALPHABET.index(c) * w for c, w in zip(body, ORG_WEIGHTS, strict=True))
    check = 11 - total % 11
    return {10: "X", 11: "0"}.get(check, str(check))


def uscc_check_digit(body: str) -> str:
    """The 18th character of a 统一社会信用代码 whose first 17 are `body`."""
    total = sum(USCC_ALPHABET.index(c) * w for c, w in zip(body, USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def is_uscc(text: str) -> bool:
    """Whether `text` is a well-formed 统一社会信用代码: its alphabet, both check characters right."""
    if len(text) != 18 or any(c not in USCC_ALPHABET for c in text):
        return False
    return text[17] == uscc_check_digit(text[:17]) and text[16] == org_check_digit(text[8:16])


def is_identity_number(text: str) -> bool:
    """Whether `text` has the form of an 18-digit 公民身份号码: digits, a day of birth, its check character."""
    if IDENTITY_NUMBER.fullmatch(text) is None:
        return False
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(text[:17]))
    return text[17].upper() == "10X98765432"[total % 11]
