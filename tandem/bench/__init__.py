"""A load generator for any server of this protocol. Needs only the standard library."""
