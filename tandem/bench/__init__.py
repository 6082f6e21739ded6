"""A load generator for any server of this protocol. Needs nothing but the standard library."""
