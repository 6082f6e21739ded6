"""The records in SQLite: one file in the data folder."""
