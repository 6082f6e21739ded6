"""The recorded visits and teams: written to SQLite or PostgreSQL, read by queries, deleted by `forget`."""
