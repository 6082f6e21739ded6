"""The assignment's programs, client 1 and client 2. Imports socket, json, sys and tandem.protocol, nothing more."""
