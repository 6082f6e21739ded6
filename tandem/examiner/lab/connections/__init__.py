"""The TCP connections that pass through the lab: the relay in front of the server, its faults, and forwarders."""
