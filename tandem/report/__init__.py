"""Output for a terminal: the results, the visits of a team, a checked message. Reads only."""
