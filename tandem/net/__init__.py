"""Socket functions of server, bench and board: listeners, a poller, line output, IP networks, the PROXY header."""
