"""The kiosk: a state machine, its screen and keys, and the loop around it."""
