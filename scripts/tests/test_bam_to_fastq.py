"""bam_to_fastq on BAM files that the tests write byte by byte."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

import bam_to_fastq

CODES = {base: code for code, base in enumerate("=ACMGRSVTWYHKDBN")}
FIRST, LAST, REVERSE = 0x41, 0x81, 0x10


def record(name: str, flag: int, bases: str, qualities: list[int] | None = None, operations: int = 1) -> bytes:
    """An alignment record (SAM specification, section 4.2), its length in front."""
    codes = [CODES[base] for base in bases] + [0] * (len(bases) % 2)
    packed = bytes(codes[place] << 4 | codes[place + 1] for place in range(0, len(codes), 2))
    scores = bytes(qualities) if qualities is not None else b"\xff" * len(bases)
    identifier = name.encode() + b"\0"
    fixed = struct.pack("<iiBBHHHIiii", 0, 99, len(identifier), 60, 0, operations, flag, len(bases), 0, 99, 0)
    body = fixed + identifier + struct.pack("<I", len(bases) << 4) * operations + packed + scores + b"NMC\0"
    return struct.pack("<i", len(body)) + body


def write_bam(path: Path, records: list[bytes], blocks: int = 1) -> Path:
    header = (
        b"BAM\x01" + struct.pack("<i", 4) + b"@CO\n" + struct.pack("<ii", 1, 5) + b"chr1\0" + struct.pack("<i", 500)
    )
    content = header + b"".join(records)
    size = -(-len(content) // blocks)
    members = [gzip.compress(content[start : start + size]) for start in range(0, len(content), size)]
    path.write_bytes(b"".join(members) + bam_to_fastq.END_OF_FILE)
    return path


def converted(folder: Path, records: list[bytes], **options: int) -> list[str]:
    outputs = (folder / "1.fastq", folder / "2.fastq")
    bam_to_fastq.convert(write_bam(folder / "a.bam", records, blocks=3), outputs, **options)
    return [path.read_text() for path in outputs]


def test_reads_are_turned_back_to_how_they_were_sequenced(tmp_path: Path) -> None:
    first = record("pair", FIRST, "ACGTN", [0, 10, 20, 30, 40])
    last = record("pair", LAST | REVERSE, "AACGRN", [1, 2, 3, 4, 5, 6])
    assert converted(tmp_path, [first, last]) == [
        "@pair\nACGTN\n+\n!+5?I\n",
        "@pair\nNYCGTT\n+\n'&%$#\"\n",
    ]


def test_the_first_read_is_first_whichever_comes_first(tmp_path: Path) -> None:
    one, two = converted(tmp_path, [record("pair", LAST, "CC", [1, 1]), record("pair", FIRST, "GG", [1, 1])])
    assert (one.split()[1], two.split()[1]) == ("GG", "CC")


def test_only_complete_primary_pairs_are_taken_in_the_order_of_completion(tmp_path: Path) -> None:
    records = [
        record("late", FIRST, "AA", [1, 1]),
        record("early", FIRST, "CC", [1, 1]),
        record("late", LAST | 0x100, "TT", [1, 1]),
        record("late", FIRST | 0x800, "TT", [1, 1]),
        record("single", 0, "TT", [1, 1]),
        record("alone", FIRST, "TT", [1, 1]),
        record("early", LAST, "GG", [1, 1]),
        record("late", LAST, "GG", [1, 1], operations=3),
    ]
    one, two = converted(tmp_path, records)
    assert one == '@early\nCC\n+\n""\n@late\nAA\n+\n""\n'
    assert two == '@early\nGG\n+\n""\n@late\nGG\n+\n""\n'
    assert converted(tmp_path, records, max_pairs=1)[0] == '@early\nCC\n+\n""\n'


def test_qualities_that_are_not_stored_promise_nothing(tmp_path: Path) -> None:
    one, _ = converted(tmp_path, [record("pair", FIRST, "ACG"), record("pair", LAST, "ACG")])
    assert one == "@pair\nACG\n+\n!!!\n"


def pair() -> list[bytes]:
    return [record("pair", FIRST, "ACGT", [9] * 4), record("pair", LAST, "ACGT", [9] * 4)]


def damaged(path: Path, kind: str) -> Path:
    whole = write_bam(path, pair()).read_bytes()
    end = len(bam_to_fastq.END_OF_FILE)
    content = gzip.decompress(whole)
    closed = {
        "cut in a record": content[:-5],
        "cut in a length": content + b"\x01\x02",
        "cut in the header": content[:14],
        "wrong magic": b"BAI\x01" + content[4:],
        "length of 2 GB": content + struct.pack("<i", 0x7FFFFFFF),
        "negative length": content + struct.pack("<i", -1),
        "no mate": content + record("x", 0x1, "A", [1]),
        "twice the same mate": content + record("y", FIRST, "A", [1]) * 2,
    }
    raw = {
        "cut in a block": whole[: len(whole) // 2],
        "cut after a block": whole[:-end],
        "no gzip": b"@read\nACGT\n+\nIIII\n" * 3,
        "empty": b"",
        "flipped bit": whole[:30] + bytes([whole[30] ^ 8]) + whole[31:],
    }
    damage = raw[kind] if kind in raw else gzip.compress(closed[kind]) + bam_to_fastq.END_OF_FILE
    path.write_bytes(damage)
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("cut in a record", "record 2: the file ends after"),
        ("cut in a length", "record 3: the file ends after 2 of 4 bytes"),
        ("cut in the header", "header: the file ends after"),
        ("wrong magic", "header: the file does not start with the BAM magic"),
        ("length of 2 GB", "record 3: its length is 2147483647"),
        ("negative length", "record 3: its length is -1"),
        ("no mate", "record 3: read 'x' is of a pair, but flag 1"),
        ("twice the same mate", "read 'y' has two primary records of mate 1"),
        ("cut in a block", "no BGZF end-of-file block"),
        ("cut after a block", "no BGZF end-of-file block"),
        ("no gzip", "no BGZF end-of-file block"),
        ("empty", "0 bytes, and no BGZF end-of-file block"),
        ("flipped bit", "record 2: CRC check failed"),
    ],
)
def test_damage_is_named_and_nothing_is_left_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, message: str
) -> None:
    bam = damaged(tmp_path / "a.bam", kind)
    assert bam_to_fastq.main([str(bam), str(tmp_path / "1.fastq"), str(tmp_path / "2.fastq")]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert str(bam) in said or kind == "twice the same mate"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bam"]


def test_a_file_without_pairs_and_one_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [str(tmp_path / "1.fastq"), str(tmp_path / "2.fastq")]
    assert bam_to_fastq.main([str(write_bam(tmp_path / "a.bam", pair()[:1])), *outputs]) == 1
    assert "no complete pair" in capsys.readouterr().err
    assert bam_to_fastq.main([str(tmp_path / "missing.bam"), *outputs]) == 1
    assert "missing.bam" in capsys.readouterr().err
