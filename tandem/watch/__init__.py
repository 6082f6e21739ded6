"""A tap between a client and a server: passes everything on, and shows what passes."""
