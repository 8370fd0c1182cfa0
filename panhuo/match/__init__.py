"""Matching: which tools a parcel's findings and facts allow, ranked, with the reason for each refusal."""

from panhuo.match.options import match

__all__ = ["match"]
