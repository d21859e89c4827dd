"""Ways to meet the assistant: input becomes an utterance, a reply becomes output."""
