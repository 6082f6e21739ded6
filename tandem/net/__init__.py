"""What server, bench and board need of sockets: listeners, a poller, line output, IP networks, the PROXY header."""
