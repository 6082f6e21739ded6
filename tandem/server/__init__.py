"""The server: connections in, recorded and answered visits out.

socket -> loop -> handler (fast path, or reader, diagnose, judge) -> committer (commit to records) -> loop -> socket
"""
