"""The commands, one file each: options, exit codes, wiring."""
