"""Functions in object files that were kept in Numba's cache: ELF, 64 bits."""

import re
import struct

WEAK, FUNCTION = 2, 2
PC32 = {2, 4}  # x86-64: relative to the end of a field of four bytes
LONGEST_CONSTANT = 64  # bytes, where a section does not tell
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
RELOCATION = struct.Struct("<QQq")


def objects(data):
    """The object files in the bytes of a file."""
    return [
        Object(data[found.start() :]) for found in re.finditer(b"\x7fELF\x02\x01", data)
    ]


class Object:
    """Sections and symbols of an object file."""

    def __init__(self, data):
        self._data = data
        (first,) = struct.unpack_from("<Q", data, 0x28)
        size, count = struct.unpack_from("<HH", data, 0x3A)
        self._sections = [
            SECTION.unpack_from(data, first + k * size) for k in range(count)
        ]
        table = next(k for k, s in enumerate(self._sections) if s[1] == 2)
        names = self._contents(self._sections[table][6])
        self._symbols = [
            (names[name : names.index(b"\0", name)].decode(), *rest)
            for name, *rest in SYMBOL.iter_unpack(self._contents(table))
        ]

    def _contents(self, section):
        _, kind, _, _, offset, size, *_ = self._sections[section]
        return b"" if kind == 8 else self._data[offset : offset + size]

    def functions(self):
        """Name, whether weak, and body of each: its bytes, and what they refer to."""
        for name, info, _, section, start, size in self._symbols:
            if info & 0xF == FUNCTION and section:
                yield name, info >> 4 == WEAK, self._body(section, start, size)

    def _body(self, section, start, size):
        references = [
            (offset - start, kind, self._target(number, kind, addend))
            for offset, kind, number, addend in self._relocations(section)
            if start <= offset < start + size
        ]
        body = self._contents(section)[start : start + size]
        return body, tuple(sorted(references))

    def _relocations(self, section):
        for k, (_, kind, *_, info, _, _) in enumerate(self._sections):
            if kind == 4 and info == section:
                for offset, info, addend in RELOCATION.iter_unpack(self._contents(k)):
                    yield offset, info & 0xFFFFFFFF, info >> 32, addend

    def _target(self, number, kind, addend):
        """A symbol's name, or the constant that has none: what it is, not where."""
        name, info, _, section, value, _ = self._symbols[number]
        if info >> 4 or section >= len(self._sections):  # not local
            return name, addend
        size = self._sections[section][9] or LONGEST_CONSTANT
        at = value + addend + (4 if kind in PC32 else 0)
        return self._contents(section)[at : at + size], None
