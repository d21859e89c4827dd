"""Speech models on this machine: found, installed, verified."""
