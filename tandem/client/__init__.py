"""The assignment's program: client 1 and client 2. Imports socket, json, sys and the exchange, nothing more."""
