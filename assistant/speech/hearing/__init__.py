"""From sound to text: recognizers, and when a customer has finished."""
