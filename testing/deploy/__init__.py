"""The setup of deploy/ on hosts of its own: a cluster, students, and the campaign against it."""
