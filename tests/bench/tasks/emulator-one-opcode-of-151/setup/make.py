"""Writes cpu.py, an emulator of the 6502 with a method per opcode, into the current folder."""

import pathlib

OPCODES = """
ADC 69 imm 65 zp 75 zpx 6d abs 7d absx 79 absy 61 indx 71 indy
AND 29 imm 25 zp 35 zpx 2d abs 3d absx 39 absy 21 indx 31 indy
ASL 0a acc 06 zp 16 zpx 0e abs 1e absx
BPL 10 rel
BMI 30 rel
BVC 50 rel
BVS 70 rel
BCC 90 rel
BCS b0 rel
BNE d0 rel
BEQ f0 rel
BIT 24 zp 2c abs
BRK 00 imp
CMP c9 imm c5 zp d5 zpx cd abs dd absx d9 absy c1 indx d1 indy
CPX e0 imm e4 zp ec abs
CPY c0 imm c4 zp cc abs
DEC c6 zp d6 zpx ce abs de absx
EOR 49 imm 45 zp 55 zpx 4d abs 5d absx 59 absy 41 indx 51 indy
CLC 18 imp
SEC 38 imp
CLI 58 imp
SEI 78 imp
CLV b8 imp
CLD d8 imp
SED f8 imp
INC e6 zp f6 zpx ee abs fe absx
JMP 4c abs 6c ind
JSR 20 abs
LDA a9 imm a5 zp b5 zpx ad abs bd absx b9 absy a1 indx b1 indy
LDX a2 imm a6 zp b6 zpy ae abs be absy
LDY a0 imm a4 zp b4 zpx ac abs bc absx
LSR 4a acc 46 zp 56 zpx 4e abs 5e absx
NOP ea imp
ORA 09 imm 05 zp 15 zpx 0d abs 1d absx 19 absy 01 indx 11 indy
TAX aa imp
TXA 8a imp
DEX ca imp
INX e8 imp
TAY a8 imp
TYA 98 imp
DEY 88 imp
INY c8 imp
ROL 2a acc 26 zp 36 zpx 2e abs 3e absx
ROR 6a acc 66 zp 76 zpx 6e abs 7e absx
RTI 40 imp
RTS 60 imp
SBC e9 imm e5 zp f5 zpx ed abs fd absx f9 absy e1 indx f1 indy
STA 85 zp 95 zpx 8d abs 9d absx 99 absy 81 indx 91 indy
TXS 9a imp
TSX ba imp
PHA 48 imp
PLA 68 imp
PHP 08 imp
PLP 28 imp
STX 86 zp 96 zpy 8e abs
STY 84 zp 94 zpx 8c abs
"""
MODES = {
    "imp": ("implied", []),
    "acc": ("accumulator", []),
    "imm": ("immediate", ["address = self.pc", "self.pc = (self.pc + 1) & 0xFFFF"]),
    "zp": ("zero page", ["address = self.fetch()"]),
    "zpx": ("zero page, X", ["address = (self.fetch() + self.x) & 0xFF"]),
    "zpy": ("zero page, Y", ["address = (self.fetch() + self.y) & 0xFF"]),
    "abs": ("absolute", ["low = self.fetch()", "high = self.fetch()", "address = low | high << 8"]),
    "absx": ("absolute, X", ["low = self.fetch()", "high = self.fetch()", "address = ((low | high << 8) + self.x) & 0xFFFF"]),
    "absy": ("absolute, Y", ["low = self.fetch()", "high = self.fetch()", "address = ((low | high << 8) + self.y) & 0xFFFF"]),
    "ind": ("indirect", ["low = self.fetch()", "high = self.fetch()", "pointer = low | high << 8", "# the pointer's page does not change: the chip's own bug", "other = (pointer & 0xFF00) | ((pointer + 1) & 0xFF)", "address = self.memory[pointer] | self.memory[other] << 8"]),
    "indx": ("(indirect, X)", ["pointer = (self.fetch() + self.x) & 0xFF", "low = self.memory[pointer]", "high = self.memory[(pointer + 1) & 0xFF]", "address = low | high << 8"]),
    "indy": ("(indirect), Y", ["pointer = self.fetch()", "low = self.memory[pointer]", "high = self.memory[(pointer + 1) & 0xFF]", "address = ((low | high << 8) + self.y) & 0xFFFF"]),
    "rel": ("relative", ["offset = self.fetch()", "if offset >= 0x80:", "    offset -= 0x100"]),
}
VALUE = ["value = self.memory[address]"]
SHIFTS = {
    "ASL": ["self.carry = value >> 7", "value = (value << 1) & 0xFF"],
    "LSR": ["self.carry = value & 1", "value >>= 1"],
    "ROL": ["carry = self.carry", "self.carry = value >> 7", "value = ((value << 1) & 0xFF) | carry"],
    "ROR": ["carry = self.carry", "self.carry = value & 1", "value = value >> 1 | carry << 7"],
    "INC": ["value = (value + 1) & 0xFF"],
    "DEC": ["value = (value - 1) & 0xFF"],
}
ZN = ["self.zero = int({0} == 0)", "self.negative = {0} >> 7"]
ADD = ["total = self.a + value + self.carry", "self.overflow = (~(self.a ^ value) & (self.a ^ total)) >> 7 & 1", "self.carry = total >> 8", "self.a = total & 0xFF"]
BRANCHES = {"BPL": "not self.negative", "BMI": "self.negative", "BVC": "not self.overflow", "BVS": "self.overflow", "BCC": "not self.carry", "BCS": "self.carry", "BNE": "not self.zero", "BEQ": "self.zero"}
FLAGS = {"CLC": ("carry", 0), "SEC": ("carry", 1), "CLI": ("interrupt", 0), "SEI": ("interrupt", 1), "CLV": ("overflow", 0), "CLD": ("decimal", 0), "SED": ("decimal", 1)}


def zn(name):
    return [line.format(name) for line in ZN]


def body(name, mode):
    address = list(MODES[mode][1])
    if name in SHIFTS:
        if mode == "acc":
            return ["value = self.a", *SHIFTS[name], "self.a = value", *zn("value")]
        return [*address, *VALUE, *SHIFTS[name], "self.memory[address] = value", *zn("value")]
    if name in BRANCHES:
        return [*address, f"if {BRANCHES[name]}:", "    self.pc = (self.pc + offset) & 0xFFFF"]
    if name in FLAGS:
        flag, value = FLAGS[name]
        return [f"self.{flag} = {value}"]
    if name == "ADC":
        return [*address, *VALUE, *ADD, *zn("self.a")]
    if name == "SBC":
        return [*address, "value = self.memory[address] ^ 0xFF", *ADD, *zn("self.a")]
    if name in ("AND", "ORA", "EOR"):
        sign = {"AND": "&", "ORA": "|", "EOR": "^"}[name]
        return [*address, *VALUE, f"self.a = self.a {sign} value", *zn("self.a")]
    if name == "BIT":
        return [*address, *VALUE, "self.zero = int(self.a & value == 0)", "self.overflow = value >> 6 & 1", "self.negative = value >> 7"]
    if name in ("CMP", "CPX", "CPY"):
        register = {"CMP": "a", "CPX": "x", "CPY": "y"}[name]
        return [*address, *VALUE, f"result = (self.{register} - value) & 0xFF", f"self.carry = int(self.{register} >= value)", *zn("result")]
    if name in ("LDA", "LDX", "LDY"):
        register = name[2].lower()
        return [*address, *VALUE, f"self.{register} = value", *zn("value")]
    if name in ("STA", "STX", "STY"):
        return [*address, f"self.memory[address] = self.{name[2].lower()}"]
    if name == "JMP":
        return [*address, "self.pc = address"]
    if name == "JSR":
        return [*address, "back = (self.pc - 1) & 0xFFFF", "self.push(back >> 8)", "self.push(back & 0xFF)", "self.pc = address"]
    if name == "RTS":
        return ["low = self.pull()", "high = self.pull()", "self.pc = ((low | high << 8) + 1) & 0xFFFF"]
    if name == "RTI":
        return ["self.set_status(self.pull())", "low = self.pull()", "high = self.pull()", "self.pc = low | high << 8"]
    if name == "BRK":
        return ["back = (self.pc + 1) & 0xFFFF", "self.push(back >> 8)", "self.push(back & 0xFF)", "self.push(self.status() | 0x10)", "self.interrupt = 1", "self.pc = self.memory[0xFFFE] | self.memory[0xFFFF] << 8"]
    if name in ("TAX", "TAY", "TXA", "TYA", "TSX"):
        source, target = name[1].lower(), name[2].lower()
        source = "sp" if source == "s" else source
        return [f"self.{target} = self.{source}", *zn(f"self.{target}")]
    if name == "TXS":
        return ["self.sp = self.x"]
    if name in ("INX", "INY", "DEX", "DEY"):
        register, sign = name[2].lower(), "+" if name[0] == "I" else "-"
        return [f"self.{register} = (self.{register} {sign} 1) & 0xFF", *zn(f"self.{register}")]
    if name == "PHA":
        return ["self.push(self.a)"]
    if name == "PLA":
        return ["self.a = self.pull()", *zn("self.a")]
    if name == "PHP":
        return ["self.push(self.status() | 0x10)"]
    if name == "PLP":
        return ["self.set_status(self.pull())"]
    assert name == "NOP"
    return ["pass"]


HEAD = """\
\"\"\"An emulator of the 6502: registers, 64 KB of memory, a method per opcode (no decimal mode, no cycles).\"\"\"


class UnknownOpcode(Exception):
    pass


class Cpu:
    \"\"\"`memory` is a bytearray of 65,536 bytes; registers and flags are whole numbers, flags 0 or 1.\"\"\"

    def __init__(self, memory=None):
        self.memory = bytearray(0x10000) if memory is None else memory
        self.a = 0
        self.x = 0
        self.y = 0
        self.sp = 0xFF
        self.pc = 0
        self.carry = 0
        self.zero = 0
        self.interrupt = 0
        self.decimal = 0
        self.overflow = 0
        self.negative = 0

    def load(self, program, start=0x0600):
        \"\"\"Puts the bytes of a program into memory and makes it the next to run.\"\"\"
        self.memory[start : start + len(program)] = program
        self.pc = start

    def status(self):
        \"\"\"The flags as one byte; bit 5 is always set.\"\"\"
        value = 0x20
        value |= self.carry
        value |= self.zero << 1
        value |= self.interrupt << 2
        value |= self.decimal << 3
        value |= self.overflow << 6
        value |= self.negative << 7
        return value

    def set_status(self, value):
        self.carry = value & 1
        self.zero = value >> 1 & 1
        self.interrupt = value >> 2 & 1
        self.decimal = value >> 3 & 1
        self.overflow = value >> 6 & 1
        self.negative = value >> 7 & 1

    def fetch(self):
        \"\"\"The next byte of the program.\"\"\"
        value = self.memory[self.pc]
        self.pc = (self.pc + 1) & 0xFFFF
        return value

    def push(self, value):
        self.memory[0x100 | self.sp] = value
        self.sp = (self.sp - 1) & 0xFF

    def pull(self):
        self.sp = (self.sp + 1) & 0xFF
        return self.memory[0x100 | self.sp]

    def step(self):
        \"\"\"Runs one instruction.\"\"\"
        opcode = self.fetch()
        name = OPCODES.get(opcode)
        if name is None:
            raise UnknownOpcode(f"{opcode:02x} at {self.pc - 1:04x}")
        getattr(self, name[0])()

    def run(self, limit=100_000):
        \"\"\"Until a BRK, or at most `limit` instructions; returns how many there were.\"\"\"
        count = 0
        while count < limit and self.memory[self.pc] != 0:
            self.step()
            count += 1
        return count
"""
LENGTHS = {"imp": 1, "acc": 1, "imm": 2, "zp": 2, "zpx": 2, "zpy": 2, "rel": 2, "indx": 2, "indy": 2, "abs": 3, "absx": 3, "absy": 3, "ind": 3}


def rows():
    for line in OPCODES.split("\n"):
        words = line.split()
        for code, mode in zip(words[1::2], words[2::2], strict=True):
            yield words[0], int(code, 16), mode


def flags_of(name):
    """The letters of the flags that an instruction sets."""
    if name in FLAGS:
        return FLAGS[name][0][0].upper()
    if name in ("ADC", "SBC"):
        return "N V Z C"
    if name == "BIT":
        return "N V Z"
    if name in ("ASL", "LSR", "ROL", "ROR", "CMP", "CPX", "CPY"):
        return "N Z C"
    if name in ("PLP", "RTI"):
        return "all"
    if name == "BRK":
        return "I"
    if name in BRANCHES or name in ("JMP", "JSR", "RTS", "NOP", "PHA", "PHP", "STA", "STX", "STY", "TXS"):
        return "none"
    return "N Z"


def method(name, code, mode):
    return f"op_{code:02x}_{name.lower()}_{mode}"


def source(slip=True):
    """The module's text; `slip` puts the fault in."""
    lines = [HEAD]
    for name, code, mode in rows():
        found = body(name, mode)
        if slip and code == 0x7E:
            at = found.index("carry = self.carry")
            found[at : at + 3] = ["value = value >> 1 | self.carry << 7", "self.carry = value & 1"]
        lines += [f"    def {method(name, code, mode)}(self):", f'        """{name}, {MODES[mode][0]} (opcode {code:02x}).', "", f"        Flags: {flags_of(name)}. Bytes: {LENGTHS[mode]}.", '        """']
        lines += [f"        {line}" for line in found] + [""]
    lines += ["", "OPCODES = {"]
    lines += [f'    0x{code:02X}: ("{method(name, code, mode)}", "{name}", {LENGTHS[mode]}),' for name, code, mode in sorted(rows(), key=lambda row: row[1])]
    lines += ["}", '"""By opcode: the method, the mnemonic, the length in bytes."""', ""]
    return "\n".join(lines)


if __name__ == "__main__":
    pathlib.Path("cpu.py").write_text(source())
