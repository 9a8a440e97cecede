"""A program as text."""

from cpu import OPCODES


def listing(program, start=0x0600):
    """A line per instruction: address, mnemonic, bytes of the operand."""
    lines = []
    at = 0
    while at < len(program):
        _, name, length = OPCODES.get(program[at], (None, "???", 1))
        operand = " ".join(f"{byte:02x}" for byte in program[at + 1 : at + length])
        lines.append(f"{start + at:04x} {name} {operand}".rstrip())
        at += length
    return lines
