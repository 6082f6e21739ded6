"""What the tests of the examiner share: a right submission, and submissions with one mistake each."""
