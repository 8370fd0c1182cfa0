"""Diagnosis: what is wrong with each parcel, since when, under which article, and what nobody knows yet."""

from panhuo.diagnose.findings import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
