"""Kaaj's front ends: the language server and the command line."""
