"""Benchmarks: ours beside the rivals' in the same run. They need the public sets, see README.md."""
