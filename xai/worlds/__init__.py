"""Worlds whose truth is known by construction: explanations can be scored there against what really decides."""
