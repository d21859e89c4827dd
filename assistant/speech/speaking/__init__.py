"""From text to sound: voices, and what is being played."""
