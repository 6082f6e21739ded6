"""The fault campaign: both clients against other sides that break in every way we can think of.

talk: what the other side of a conversation does, as data. filters: one fault each, a pure change of a talk.
scripts: which faults, drawn from a seed. runner: plays a script against a real client. laws: what must hold.
flood: crowds at client 2's door.
"""
