"""The server: connections in, recorded and answered visits out.

socket -> loop -> handler -> reader, diagnose, judge -> committer (records) -> loop -> socket
"""
