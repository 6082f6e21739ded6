"""The records on a PostgreSQL server: the same rows as on SQLite. Imported only for a URL: its driver is an extra."""
