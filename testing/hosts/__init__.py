"""Three hosts on one machine, with a slow network between them."""
