"""Readings of weather stations."""

VERSION = "2.1"
