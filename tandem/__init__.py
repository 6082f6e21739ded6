"""Tandem: a networking assignment as real software. See README.md."""

__version__ = "0.1.0"
