"""Those who speak with the server: lines that are open both ways, for text and for sound."""
