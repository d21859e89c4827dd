"""An offline assistant that answers a company's customers, by voice and by text."""

__version__ = "0.1.0"
