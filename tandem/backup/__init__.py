"""Backup and restore: one file with all data but the key."""
