"""Reads a message that is not right: reports everything that is wrong with it, and what was probably meant.

    bytes -> envelope -> members (scanner) -> fields -> rules

Each layer reports the mistakes of its own kind, takes them off, and passes on what is left. A PROXY header is taken off
before all of them.
"""
