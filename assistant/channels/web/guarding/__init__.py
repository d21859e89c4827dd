"""What keeps strangers, floods and rubbish out of the server, and says no."""
