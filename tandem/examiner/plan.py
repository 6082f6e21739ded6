"""The plan of an examination: how a submission is started, what it has built in, and what counts."""
