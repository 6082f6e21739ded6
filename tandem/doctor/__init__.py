"""What a team must know about its own machines: before the exchange, and without a message."""
