import copy, importlib.util, os, pathlib, random, sys

folder = pathlib.Path(os.environ["KAAJ_TASK"], "setup")
sys.path.insert(0, str(folder))
import make

reference = {"__name__": "reference"}
exec(compile(make.source(slip=False), "reference", "exec"), reference)
import cpu

assert set(cpu.OPCODES) == set(reference["OPCODES"])
dice = random.Random(6502)
names = ("a", "x", "y", "sp", "pc", "carry", "zero", "interrupt", "decimal", "overflow", "negative")
memory = bytearray(dice.randbytes(0x10000))
for opcode in sorted(cpu.OPCODES):
    for _ in range(12):
        one, other = cpu.Cpu(bytearray(memory)), reference["Cpu"](bytearray(memory))
        for name in names[:4]:
            setattr(one, name, dice.randrange(256)); setattr(other, name, getattr(one, name))
        for name in names[5:]:
            setattr(one, name, dice.randrange(2)); setattr(other, name, getattr(one, name))
        start = dice.randrange(0x200, 0xFF00)
        for machine in (one, other):
            machine.memory[start] = opcode
            machine.pc = start
            machine.step()
        for name in names:
            assert getattr(one, name) == getattr(other, name), (hex(opcode), name)
        assert one.memory == other.memory, hex(opcode)
then, now = make.source().splitlines(), pathlib.Path("cpu.py").read_text().splitlines()
assert abs(len(then) - len(now)) < 12 and len(set(then) - set(now)) < 12, "more has changed than one instruction"
print("solved")
