"""The fault campaign of the clients: scripts, filters, scenarios, a runner and laws; and floods of connections."""
