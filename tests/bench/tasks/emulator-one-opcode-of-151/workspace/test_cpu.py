import unittest

from cpu import Cpu, UnknownOpcode
from listing import listing


def run(*program, memory=None):
    cpu = Cpu()
    for address, values in (memory or {}).items():
        cpu.memory[address : address + len(values)] = bytes(values)
    cpu.load(bytes(program))
    cpu.run()
    return cpu


class Programs(unittest.TestCase):
    def test_add(self):
        cpu = run(0xA9, 0x50, 0x18, 0x69, 0x50)  # LDA #50; CLC; ADC #50
        self.assertEqual((cpu.a, cpu.carry, cpu.overflow, cpu.negative), (0xA0, 0, 1, 1))

    def test_subtract(self):
        cpu = run(0x38, 0xA9, 0x05, 0xE9, 0x06)  # SEC; LDA #5; SBC #6
        self.assertEqual((cpu.a, cpu.carry, cpu.negative), (0xFF, 0, 1))

    def test_loop(self):
        cpu = run(0xA2, 0x05, 0xCA, 0xD0, 0xFD)  # LDX #5; DEX; BNE -3
        self.assertEqual((cpu.x, cpu.zero), (0, 1))

    def test_subroutine(self):
        cpu = run(0x20, 0x06, 0x06, 0xA2, 0x01, 0x00, 0xA9, 0x07, 0x60)  # JSR 0606; LDX #1; BRK; LDA #7; RTS
        self.assertEqual((cpu.a, cpu.x, cpu.sp), (7, 1, 0xFF))

    def test_halve_a_table(self):
        """A number of three bytes, the highest first, divided by two from the front: its bits wander to the right."""
        program = [0xA2, 0x00, 0x18, 0x7E, 0x00, 0x03, 0xE8, 0x7E, 0x00, 0x03, 0xE8, 0x7E, 0x00, 0x03]
        cpu = run(*program, memory={0x300: [0x03, 0x81, 0x01]})
        self.assertEqual(cpu.memory[0x300:0x303].hex(), "01c080")
        self.assertEqual(cpu.carry, 1)

    def test_stack(self):
        cpu = run(0xA9, 0x42, 0x48, 0xA9, 0x00, 0x68)  # LDA #42; PHA; LDA #0; PLA
        self.assertEqual((cpu.a, cpu.zero), (0x42, 0))

    def test_unknown(self):
        with self.assertRaises(UnknownOpcode):
            run(0x02)

    def test_listing(self):
        self.assertEqual(listing(bytes([0xA9, 0x01, 0x7E, 0x00, 0x03, 0x02])), ["0600 LDA 01", "0602 ROR 00 03", "0605 ???"])


if __name__ == "__main__":
    unittest.main()
