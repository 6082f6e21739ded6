"""The board's pages, a module each: read the request, call the feed or the gradebook, render a template."""
