"""The FASTA and its index that CRAM files are decoded with."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import skip_or_fail

import unpack_reference

FASTA = b">one first of two\nACGTACGTAC\nACGTACGTAC\nACG\n>two\r\nACGT\r\nAC\r\n\n>empty\n>three\nA"


@pytest.mark.parametrize("packed", [False, True])
def test_the_index_is_that_of_samtools(tmp_path: Path, packed: bool) -> None:
    source, fasta = tmp_path / "source", tmp_path / "genome.fa"
    source.write_bytes(gzip.compress(FASTA) if packed else FASTA)
    assert unpack_reference.main([str(source), str(fasta)]) == 0
    assert fasta.read_bytes() == FASTA
    found = (tmp_path / "genome.fa.fai").read_text()
    assert found.splitlines()[:2] == ["one\t23\t18\t10\t11", "two\t6\t50\t4\t6"]
    if shutil.which("samtools") is None:
        skip_or_fail("samtools is not installed")
    subprocess.run(["samtools", "faidx", fasta], check=True)
    assert found == (tmp_path / "genome.fa.fai").read_text()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no sequence"),
        (b"ACGT\n", "line 1: a FASTA begins"),
        (b">a\nACGT\nACGTA\n", "line 3 (a): is longer"),
        (b">a\nACGT\nACG\nA\n", "line 4 (a): follows a line that is shorter"),
        (b">a\nACGT\n\nACGT\n", "line 4 (a): follows a line that is shorter"),
        (gzip.compress(FASTA)[:-9], "ended"),
    ],
)
def test_what_is_no_fasta_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, problem: str
) -> None:
    (tmp_path / "source").write_bytes(content)
    assert unpack_reference.main([str(tmp_path / "source"), str(tmp_path / "genome.fa")]) == 1
    assert problem in capsys.readouterr().err
