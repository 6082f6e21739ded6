"""Derives and checks the secrets of teams, and owns the key file."""
