"""What the server, the load generator and the board need of sockets: the poller and the form of the PROXY header."""
