"""From what was meant to what is answered: guided steps, choices, repeating, the language of the reply."""
