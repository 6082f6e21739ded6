"""Finds the entry of docs/mistakes.md that fits an error: the mistakes, their symptoms as data, and the matching."""
