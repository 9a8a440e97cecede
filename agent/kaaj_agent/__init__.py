"""Kaaj's agent: plans, edits a staging area, checks it, proposes one change. It knows no editor and no LSP."""
