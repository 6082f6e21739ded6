"""Right and wrong messages, an oracle that judges them without the code under test, and random changes to them."""
