"""Submissions for the tests of the examiner: a right submission, and submissions with one mistake each."""
