"""Small servers that do the same work as the ground in other ways, without its record: to compare with, not to use."""
