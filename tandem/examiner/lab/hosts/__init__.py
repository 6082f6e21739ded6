"""The hosts of a run and the network between them: namespaces, cables, the switch that sees all frames."""
