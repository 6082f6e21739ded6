"""`tandem demo`: a ground and both clients on this machine, and the exchange drawn as it happens."""
