"""The embedded model: its file, the child process that serves it, and its token-level port.

What is never done here: nothing imports xllamacpp outside of the child process, and nothing that comes with a
downloaded package is imported or executed.
"""
