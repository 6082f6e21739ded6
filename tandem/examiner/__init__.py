"""Runs a submission, both instances, each on a host of its own, and says what holds: pass, fail or unclear."""
