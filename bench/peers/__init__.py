"""Small servers that do the same work as the server in other ways, without its record: to compare with, not to use."""
