"""Run a static x86-64 program of Linux on a processor that Bochs emulates, which knows AVX-512 and AVX-VNNI where qemu does not.

    pip install bochscpu-python        # needs a C library from 2023 on (glibc 2.38)
    python tests/on_bochs.py PROCESSOR STATE PROGRAM [ARGUMENTS]

PROCESSOR is a part of a name in Bochs' cpu/cpudb, such as sapphire_rapids or arrow_lake; STATE the registers that the
system keeps, as in XCR0: 3 SSE, 7 AVX too, 0xe7 AVX-512 too. The program finds memory, and no more of a system than to
write and to end; it runs some 100 to 1,000 times as long as on a real processor. Ends as the program does.
"""

import ctypes
import mmap
import struct
import subprocess
import sys
from pathlib import Path

import bochscpu
import bochscpu.cpu
import bochscpu.memory

SIZE, HEAP, STACK = 512 << 20, 256 << 20, 1 << 20  # bytes: memory, where mmap takes from, what is left to the stack
HANDLER, KEPT, RESULT = 0x1000, 0x1100, 0x1108  # addresses: of system calls, of a register, of what they return
PAGES = 0x2000, 0x3000, 0x4000  # tables of three levels
# arch_prctl sets the base of FS; others are left to `Machine.call`, which WBINVD calls.
CALLS = bytes.fromhex(
    "3d9e000000 752b"  # cmp $158, %eax; jne other
    "4989cb 4889142500110000"  # mov %rcx, %r11; mov %rdx, KEPT
    "4889f0 4889f2 48c1ea20 b9000100c0 0f30"  # mov %rsi, %rax; mov %rsi, %rdx; shr $32, %rdx; mov $FS base, %ecx; wrmsr
    "4c89d9 488b142500110000 31c0 ffe1"  # mov %r11, %rcx; mov KEPT, %rdx; xor %eax, %eax; jmp *%rcx
    "0f09 488b042508110000 ffe1"  # other: wbinvd; mov RESULT, %rax; jmp *%rcx
)
WRITE, MMAP, BREAK, WRITEV, EXIT, EXIT_GROUP = 1, 9, 12, 20, 60, 231


def choose(processor: str) -> None:
    """Have Bochs make this processor in place of the one that the package is built for, corei3_cnl."""
    maps = [line.split() for line in Path("/proc/self/maps").read_text().splitlines() if "_bochscpu." in line]
    start, library = int(maps[0][0].partition("-")[0], 16), maps[0][-1]
    listed = subprocess.run(["nm", "-D", library], capture_output=True, text=True, check=True).stdout
    makers = [line.split() for line in listed.splitlines() if line.endswith("cpuidP8BX_CPU_C")]
    old, new = (next(int(at, 16) for at, _, name in makers if one in name) for one in ("corei3_cnl", processor))
    ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + old & -mmap.PAGESIZE), 2 * mmap.PAGESIZE, 7)
    ctypes.memmove(start + old, b"\xe9" + struct.pack("<i", new - old - 5), 5)  # jmp


class Machine:
    """A processor with memory, at whose addresses a program lies, in ring 0."""

    def __init__(self, program: bytes, arguments: list[str], state: int) -> None:
        self.session = bochscpu.Session()
        self.memory = mmap.mmap(-1, SIZE)
        self.code = 1
        self._top = HEAP
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for at in range(0, SIZE, mmap.PAGESIZE):
            bochscpu.memory.page_insert(at, start + at)
        self._put(PAGES[0], struct.pack("<Q", PAGES[1] | 7))
        self._put(PAGES[1], struct.pack("<Q", PAGES[2] | 7))
        self._put(PAGES[2], struct.pack("<512Q", *(n << 21 | 0x87 for n in range(512))))
        self._put(HANDLER, CALLS)
        entry, headers, count = self._load(program)
        self.session.cpu.state = self._begun(entry, self._stack(arguments, entry, headers, count), state)

    def _put(self, at: int, these: bytes) -> None:
        self.memory[at : at + len(these)] = these

    def _load(self, program: bytes) -> tuple[int, int, int]:
        """Return where the program begins, and the address and number of its headers."""
        entry, offset = struct.unpack_from("<QQ", program, 24)
        (count,) = struct.unpack_from("<H", program, 56)
        headers = 0
        for n in range(count):
            kind, _, begin, at, _, stored, size, _ = struct.unpack_from("<IIQQQQQQ", program, offset + 56 * n)
            if kind == 1:
                self._put(at, program[begin : begin + stored])
                self._break = at + size + 0xFFFF & ~0xFFFF
                headers = headers or at - begin + offset
        return entry, headers, count

    def _stack(self, arguments: list[str], entry: int, headers: int, count: int) -> int:
        at, pointers = SIZE - 0x8000, []
        for argument in arguments:
            pointers.append(at)
            self._put(at, argument.encode() + b"\0")
            at += len(argument) + 1
        # Headers, their size and number, the size of a page, the entry, 16 random bytes, the end.
        told = {3: headers, 4: 56, 5: count, 6: mmap.PAGESIZE, 9: entry, 25: SIZE - 0x1000, 0: 0}
        words = [len(pointers), *pointers, 0, 0, *(word for pair in told.items() for word in pair)]
        begin = SIZE - 0x10000 - 8 * len(words) & ~63
        self._put(begin, struct.pack(f"<{len(words)}Q", *words))
        return begin

    @staticmethod
    def _begun(entry: int, stack: int, kept: int) -> bochscpu.State:
        state = bochscpu.State()
        bochscpu.cpu.set_long_mode(state)
        state.cr0 = (state.cr0 | 2) & ~4  # MP, no EM
        state.cr4 |= 1 << 9 | 1 << 10 | 1 << 18  # FXSR, exceptions of SSE, XSAVE
        state.xcr0, state.cr3, state.lstar, state.star, state.sfmask = kept, PAGES[0], HANDLER, 8 << 32, 0
        state.mxcsr, state.mxcsr_mask, state.fpcw = 0x1F80, 0xFFFF, 0x37F
        for name, selector, attributes in [
            ("cs", 8, 0xA09B),
            *((name, 16, 0xC093) for name in ("ds", "es", "ss", "fs", "gs")),
        ]:
            segment = bochscpu.Segment()
            segment.present, segment.selector, segment.base = True, selector, 0
            segment.limit, segment.attr = 0xFFFFFFFF, attributes
            setattr(state, name, segment)
        state.rip, state.rsp, state.rflags, state.rdx = entry, stack, 2, 0
        return state

    def call(self, session: bochscpu.Session, _cpu: int, _what: int) -> None:
        """Answer a system call; those that are not known return 0, which a program that only computes takes."""
        state = session.cpu.state
        number, first, second, third = state.rax, state.rdi, state.rsi, state.rdx
        result = 0
        if number == WRITE:
            self._write(first, second, third)
            result = third
        elif number == WRITEV:
            for n in range(third):
                at, size = struct.unpack_from("<QQ", self.memory, second + 16 * n)
                self._write(first, at, size)
                result += size
        elif number == BREAK:
            self._break = first or self._break
            result = self._break
        elif number == MMAP:
            result, self._top = self._top, self._top + (second + mmap.PAGESIZE - 1 & -mmap.PAGESIZE)
        elif number in (EXIT, EXIT_GROUP):
            self.code = first
            session.stop()
        if self._break > HEAP or self._top > SIZE - STACK:
            raise MemoryError(f"the program takes more than {SIZE} bytes")
        self._put(RESULT, struct.pack("<Q", result))

    def _write(self, file: int, at: int, size: int) -> None:
        to = sys.stderr if file == 2 else sys.stdout
        to.buffer.write(self.memory[at : at + size])
        to.flush()

    def failed(self, session: bochscpu.Session, _cpu: int, vector: int, _error: int) -> None:
        print(f"exception {vector} at {session.cpu.rip:#x}", file=sys.stderr)
        session.stop()

    def run(self) -> int:
        hook = bochscpu.Hook()
        hook.cache_cntrl, hook.exception = self.call, self.failed
        self.session.run([hook])
        return self.code


if __name__ == "__main__":
    choose(sys.argv[1])
    sys.exit(Machine(Path(sys.argv[3]).read_bytes(), sys.argv[3:], int(sys.argv[2], 0)).run())
