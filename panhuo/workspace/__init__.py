"""Use cases over a workspace folder; the only writer of its files."""
