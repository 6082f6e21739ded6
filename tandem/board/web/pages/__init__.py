"""The board's pages, a module each: what a browser asks for, and the answer. The rules are elsewhere."""
