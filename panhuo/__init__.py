"""panhuo (盘活): find idle and under-used land and bring it back into use."""

__version__ = "0.1.0"
