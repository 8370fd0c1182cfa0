"""Scores: firms by what they yield per land, projects against admission bars, and what follows from each."""

from panhuo.score.engine import ScoreResult, score

__all__ = ["ScoreResult", "score"]
