"""Turns the bytes that came into fields, problems, remarks and a repaired message. Pure: no socket, clock or file."""
