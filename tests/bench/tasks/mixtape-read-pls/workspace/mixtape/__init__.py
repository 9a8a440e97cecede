"""Playlists for tapes."""
