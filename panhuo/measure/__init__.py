"""What came of it: scoreboards, outcomes, and the audit of stated figures."""
