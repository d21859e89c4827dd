"""What is said next: a conversation and a match become a reply."""
