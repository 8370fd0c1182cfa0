"""Words shared by every room: units, identifiers, dates, provenance, problems. Imports nothing of ours."""
