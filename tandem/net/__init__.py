"""Socket functions of several packages: listeners, streams, an event loop, line output, IP networks, captures."""
