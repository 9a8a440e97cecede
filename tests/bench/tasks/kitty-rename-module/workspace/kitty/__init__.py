"""Shared expenses."""
