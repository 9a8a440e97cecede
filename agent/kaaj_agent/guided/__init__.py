"""The parts of the guided loop: what the harness does so that a small model only has to write code.

Never in here: a tool call is read out of a reply, a test is changed to make it pass, or a file
of the user's is written.
"""
