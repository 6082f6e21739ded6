"""The fault campaign: both clients against other sides that break in every way we can think of.

In testing/client_faults: scripts.py has what the other sides do when nothing is wrong; filters.py has the faults, each
a pure change of a script; scenarios.py draws faults from a seed; runner.py plays a scenario against a real client;
laws.py has what must hold; flood.py opens many connections to client 2.
"""
