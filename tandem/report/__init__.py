"""What a person reads: the results of a ground, the visits of a team, one message checked. Reads only."""
