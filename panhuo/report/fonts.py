"""The typeface that holds Chinese: Noto Sans CJK from its wheel, so that a fresh machine needs none installed."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

FAMILY: Final = "Noto Sans CJK SC"
WORD_FAMILY: Final = "仿宋_GB2312"
"""The official typeface of Chinese office documents, set by name; Word substitutes where it is absent."""

HEADING_FAMILY: Final = "黑体"
TITLE_FAMILY: Final = "方正小标宋简体"
"""The typeface of an official document's title."""


@lru_cache
def font_path() -> Path:
    """The font collection inside the wheel."""
    folder = Path(str(files("noto_cjk_sans_otc")))
    return next(iter(sorted(folder.glob("*.ttc"))))


@lru_cache
def use_in_charts() -> str:
    """Makes matplotlib set Chinese; gives the family to name."""
    import matplotlib  # noqa: PLC0415 - slow to import, only charts need it
    from matplotlib import font_manager  # noqa: PLC0415

    matplotlib.use("Agg")
    font_manager.fontManager.addfont(str(font_path()))
    family = str(font_manager.FontProperties(fname=str(font_path())).get_name())
    matplotlib.rcParams["font.family"] = family
    matplotlib.rcParams["axes.unicode_minus"] = False
    return family
