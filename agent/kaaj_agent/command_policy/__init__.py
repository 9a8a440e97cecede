"""What a command would do, read before it runs: every program, write and wrapper in it, by a parser of the shell.

`verdict.judge` is the way in. What is read here is a courtesy to the person and to the model: it says beforehand what
would fail or do harm, and what cannot be told. The boundary is the sandbox; where there is none, it is the person.
"""
