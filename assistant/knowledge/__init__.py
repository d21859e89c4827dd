"""What editors wrote: pages read, kept up to date and reviewed."""
