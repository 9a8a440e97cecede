"""The command line: one module per subcommand, each with `add` (its arguments) and `run` (its work).

What is never done here: nothing reads the environment (that is `__main__`'s), nothing decides what a model's reply
means, and nothing is imported at the top of a subcommand's module that `kaaj serve` would have to wait for.
"""
