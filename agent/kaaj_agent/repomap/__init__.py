"""The repository map: what the files of a workspace define, ranked by who refers to it, within a token budget.

`RepoMap` (in `map`) is what the agent uses. Everything else runs in a process of its own, which holds the index, so
that neither the event loop nor the server's memory feels a workspace of 10,000 files.
"""
