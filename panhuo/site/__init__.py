"""The web application: a land ledger on a map that many offices share; one folder a room."""
