"""sample_manifest on manifests that are right and wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from downloads import DataError
from sample_manifest import read_samples

SHA256, MD5 = "ab" * 32, "cd" * 16
RIGHT = f"""
version = 1
[[sample]]
name = "NA1"
part = "train"
sex = "female"
[[sample.file]]
url = "https://made-up.invalid/a/NA1.cram"
md5 = "{MD5}"
[[sample]]
name = "NA2"
part = "test"
[[sample.file]]
url = "file:reads/NA2%20x.bam"
sha256 = "{SHA256}"
bytes = 7
path = "NA2.bam"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "samples.toml"
    path.write_text(text)
    return path


def test_a_manifest_is_read_and_relative_addresses_count_from_its_folder(tmp_path: Path) -> None:
    first, second = read_samples(write(tmp_path, RIGHT))
    assert (first.name, first.part, first.facts) == ("NA1", "train", {"sex": "female"})
    assert (first.files[0].path, first.files[0].md5, first.files[0].size) == ("NA1.cram", MD5, None)
    assert second.files[0].url == (tmp_path / "reads/NA2 x.bam").as_uri()
    assert (second.files[0].path, second.files[0].sha256, second.files[0].size) == ("NA2.bam", SHA256, 7)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version = 1", "version = 2", "version 2; this program reads 1"),
        ('name = "NA1"', 'name = "../NA1"', "sample 1: name '../NA1'"),
        ('name = "NA1"', 'name = "$(x)"', "sample 1: name '$(x)'"),
        ('name = "NA1"', 'name = "NA2"', "NA2 more than once"),
        ('"train"', '"training"', "sample 1 (NA1): part 'training'; valid are train"),
        ('"female"', '"f"', "sample 1 (NA1): sex 'f'"),
        ('sex = "female"', 'run = ""', "sample 1 (NA1): run is ''; leave it out"),
        ("https:", "ftp:", "file 1: url 'ftp://made-up.invalid/a/NA1.cram'; valid schemes"),
        (f'md5 = "{MD5}"', "", "file 1: neither sha256 nor md5"),
        (MD5, "abc", "file 1: md5 'abc' is not 32 hexadecimal digits"),
        ("bytes = 7", "bytes = -1", "sample 2 (NA2), file 1: bytes is -1"),
        ('path = "NA2.bam"', 'path = "a,b.bam"', "path 'a,b.bam'"),
        ('path = "NA2.bam"', 'path = ".."', "path '..'"),
        ("url = ", "address = ", "has no url"),
        ("[[sample]]", "[[samples]]", "names no sample"),
        ("version = 1", "version = ", "is no TOML file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in RIGHT
    manifest = write(tmp_path, RIGHT.replace(old, new))
    with pytest.raises(DataError, match=re.escape(message)) as raised:
        read_samples(manifest)
    assert str(manifest) in str(raised.value)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(json.dumps(str(tmp_path / "no.toml"))[1:-1])):
        read_samples(tmp_path / "no.toml")
