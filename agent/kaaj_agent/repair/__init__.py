"""Surprise-guided repair: a small model does not name the faulty line, but it is surprised by it.

Never in here: a file is written, a command is run (the judge is injected), or a language's grammar is assumed.
"""
