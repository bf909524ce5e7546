"""Regions of real reads at addresses, through the workflow: a BAM and a CRAM on a server of this machine."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import REPOSITORY, skip_or_fail

WORKFLOW = REPOSITORY / "scripts" / "workflow"
SEEDSIEVE = REPOSITORY / "target" / "release" / "seedsieve"
REGIONS = ("chr21:16,580,001-16,583,000", "chr22:16599000-16600000")
# Name, part, file of kgp30x, and as what it lies on the server.
SAMPLES = (
    ("NA19401", "train", "NA19401.chr21_chr22.16.57-16.61M.bam", "NA19401.bam"),
    ("NA12878", "test", "NA12878.chr21_chr22.16.57-16.61M.bam", "NA12878.cram"),
)


class Server(ThreadingHTTPServer):
    """Gives the files of a folder, whole or in parts, and counts what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.whole, self.bytes_sent = folder, [], {}
        super().__init__(("127.0.0.1", 0), Handler)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    """One request for a file."""

    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        file = self.server.folder / name
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, end = (int(asked[1]), int(asked[2] or len(content) - 1) + 1) if asked else (0, len(content))
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        part = content[start:end]
        if len(part) == len(content):
            self.server.whole.append(name)
        self.server.bytes_sent[name] = self.server.bytes_sent.get(name, 0) + len(part)
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Nothing: the tests tell what went wrong."""


@pytest.fixture
def server(tmp_path: Path, real_data: Path) -> Iterator[Server]:
    """The samples with their indexes."""
    if shutil.which("samtools") is None:
        skip_or_fail("samtools is not installed; it makes the indexes, and the CRAM")
    folder = tmp_path / "served"
    folder.mkdir()
    for _, _, reads, name in SAMPLES:
        served = folder / name
        if name.endswith(".cram"):
            # Slices of a thousand reads, of which some are left out; the bases are all in the file.
            form = ["-C", "--output-fmt-option", "no_ref=1", "--output-fmt-option", "seqs_per_slice=1000"]
            subprocess.run(["samtools", "view", *form, "-o", served, real_data / "kgp30x" / reads], check=True)
        else:
            served.write_bytes((real_data / "kgp30x" / reads).read_bytes())
        subprocess.run(["samtools", "index", served], check=True)
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def write_configuration(folder: Path, server: Server, reference: Path) -> Path:
    """A manifest of the samples at their addresses, and what names it."""
    lines = ["version = 1"]
    for name, part, _, file in SAMPLES:
        digest = hashlib.sha256((server.folder / file).read_bytes()).hexdigest()
        lines += ["[[sample]]", f'name = "{name}"', f'part = "{part}"']
        lines += ["[[sample.file]]", f'url = "{server.address(file)}"', f'sha256 = "{digest}"']
    manifest = folder / "samples.toml"
    manifest.write_text("\n".join(lines))
    settings = {
        "manifest": str(manifest),
        "reference": str(reference),
        "seedsieve": str(SEEDSIEVE),
        "python": sys.executable,
        "extract": {"threads": 1, "read_pairs": None, "regions": list(REGIONS)},
        "training": {"name": "none"},
    }
    configuration = folder / "configuration.yaml"
    configuration.write_text(json.dumps(settings))
    return configuration


def parts(data_set: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((data_set / "data").glob("*.parquet"))]


def test_regions_at_addresses_give_what_local_files_do(tmp_path: Path, server: Server, real_data: Path) -> None:
    if importlib.util.find_spec("snakemake") is None:
        skip_or_fail("Snakemake is not installed; `cargo xtask setup` installs it")
    if not SEEDSIEVE.is_file():
        skip_or_fail(f"{SEEDSIEVE} is not built; `cargo xtask setup` builds it")
    reference = real_data / "kgp30x" / "GRCh38_chr21_chr22_16.57-16.80M.mdref.fa.gz"
    configuration, out = write_configuration(tmp_path, server, reference), tmp_path / "out"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(WORKFLOW / "Snakefile"), "--cores", "2"]
    command += ["--configfile", str(configuration), "--directory", str(out)]
    command += ["--profile", str(WORKFLOW / "profiles" / "local"), "dataset"]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(command, env=environment, text=True, capture_output=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    assert set(server.whole) == {"NA19401.bam.bai", "NA12878.cram.crai"}, "reads were fetched whole"
    for name, part, _, file in SAMPLES:
        size = (server.folder / file).stat().st_size
        assert 0 < server.bytes_sent[file] < size * 3 / 4, f"{file}: {server.bytes_sent[file]} of {size} bytes"
        local = tmp_path / f"local-{name}"
        regions = [word for region in REGIONS for word in ("--region", region)]
        options = ["--reference", out / "reference" / "genome.fa", "--sample", name, "--output", local, *regions]
        subprocess.run([SEEDSIEVE, "extract-seeds", *options, server.folder / file], check=True, capture_output=True)
        assert parts(out / "seeds" / name) == parts(local), file
        content = json.loads((out / "seeds" / name / "dataset.json").read_text())
        assert content["settings"]["regions"] == list(REGIONS)
        assert [one["name"] for one in content["inputs"] if one["kind"] == "reads"] == [f"{file} (excerpt)"]
        assert content["counts"]["seeds"] > 1_000
        merged = json.loads((out / "dataset" / f"split={part}" / "dataset.json").read_text())
        assert merged["counts"]["seeds"] == content["counts"]["seeds"]
