"""The diagnosis: every mistake named, nothing right called wrong."""
