"""Which entry is meant: text -> evidence -> probability -> decision."""
