"""A log that TensorBoard shows, written without TensorBoard: its records are few and simple.

File: records of length (uint64, little-endian), its masked CRC-32C, an `Event` message in protocol buffers, its masked
CRC-32C (TensorFlow, tensorflow/core/lib/io/record_writer.h and core/util/event.proto).
"""

import os
import struct
import time
from pathlib import Path

POLYNOMIAL = 0x82F63B78
"""Of CRC-32C (Castagnoli), bits reversed."""


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_CRC_TABLE = _table()


def crc32c(content: bytes) -> int:
    """CRC-32C of some bytes."""
    value = 0xFFFFFFFF
    for byte in content:
        value = value >> 8 ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def record(content: bytes) -> bytes:
    """One record of a file."""
    length = struct.pack("<Q", len(content))
    return length + _masked(length) + content + _masked(content)


def _masked(content: bytes) -> bytes:
    value = crc32c(content)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _field(number: int, content: bytes) -> bytes:
    """A field that holds bytes, a text or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def event(seconds: float, step: int, content: bytes) -> bytes:
    """An `Event`: wall_time is field 1, step field 2; `content` is the encoded rest."""
    return _varint(1 << 3 | 1) + struct.pack("<d", seconds) + _varint(2 << 3) + _varint(step) + content


def scalar(tag: str, value: float) -> bytes:
    """The field `summary` (5) of an `Event` with one number: in it `value` (1) with tag (1) and simple_value (2)."""
    return _field(5, _field(1, _field(1, tag.encode()) + _varint(2 << 3 | 5) + struct.pack("<f", value)))


class EventLog:
    """Appends numbers to a new file of a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        self._path = folder / f"events.out.tfevents.{int(now)}.{os.getpid()}.seedsieve"
        # The first record names the version of the format (field 3).
        self._append(event(now, 0, _field(3, b"brain.Event:2")))

    def add(self, step: int, **numbers: float) -> None:
        """Numbers of a step, by tag; `__` in a tag stands for `/`."""
        for tag, value in numbers.items():
            self._append(event(time.time(), step, scalar(tag.replace("__", "/"), value)))

    def _append(self, content: bytes) -> None:
        with self._path.open("ab") as file:
            file.write(record(content))
