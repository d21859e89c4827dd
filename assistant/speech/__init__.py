"""Ears and voices: adapters named <library>_<plug>, and what stands around them."""
