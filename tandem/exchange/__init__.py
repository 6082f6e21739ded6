"""The language that both sides speak. Knows no socket, no clock, no file: bytes in, values out."""
