"""What customers and other programs ask over HTTP, and the answers as browsers show them."""
