"""Code that tests, bench and fuzz share: processes, connections, scripts of the other side, messages and records."""
