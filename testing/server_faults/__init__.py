"""Faults under a running server: damage, broken outputs, load, and ends at any moment."""
