"""One file with everything but the key: `tandem backup` writes it, `tandem restore` puts it in place."""
