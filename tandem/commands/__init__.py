"""The commands, a file each: their options, and what they do with them. Nothing else."""
