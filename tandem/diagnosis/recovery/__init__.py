"""Reads a message that is not right, tells everything that is wrong with it, and what was probably meant.

    bytes -> decoding -> wrapping -> members (scanner, texts, values) -> fields -> rules

Each layer names the mistakes of its own kind, takes them off, and hands on what is left. A balancer's header is before
all of them: it is taken off first.
"""
