"""The records in PostgreSQL: the same rows as in SQLite. Imported only for a URL, because its driver is an extra."""
