"""The desk of a small library."""
