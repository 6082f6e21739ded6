"""A team's own machines: what must be known of them before the exchange, and without a message."""
