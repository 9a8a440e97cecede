"""Syntax trees of many languages by tree-sitter: which grammar a file has, and what a text defines and refers to.

Imported on use only: the bindings and each grammar are loaded when the first text of its language is looked at.
"""
