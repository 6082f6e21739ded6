"""`tandem demo`: run a server and both clients on this machine, and draw the exchange as it happens."""
