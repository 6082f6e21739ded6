"""How the secret of a team is derived and checked, and the key file behind it."""
