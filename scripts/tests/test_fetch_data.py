"""fetch_data against a server on this machine that misbehaves as real ones do."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import fetch_data
from downloads import DataError, DataFile, Fetcher

CONTENT = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """Serves CONTENT at every address but /missing; what it was asked for is in `ranges`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.knows_ranges = True
        self.wrong_range = False
        self.busy_answers = 0
        self.cut_after: list[int] = []
        self.ranges: list[str | None] = []

    def url(self, path: str = "/file") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        if self.path == "/missing":
            self.send_error(404)
            return
        if server.busy_answers:
            server.busy_answers -= 1
            self.send_error(503)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.knows_ranges else 0
        if start >= len(server.content):
            self.send_error(416)
            return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            named = start + 1 if server.wrong_range else start
            self.send_header("Content-Range", f"bytes {named}-{len(server.content) - 1}/{len(server.content)}")
        self.end_headers()
        if server.cut_after:
            body = body[: server.cut_after.pop(0)]
            self.close_connection = True
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def described(url: str | None, content: bytes = CONTENT) -> DataFile:
    return DataFile("reads/a.bam", len(content), hashlib.sha256(content).hexdigest(), url)


def fetcher(folder: Path, attempts: int = 3) -> Fetcher:
    return Fetcher(folder, lambda _: None, attempts, pause=0.01)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_downloaded_once(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        path = fetcher(tmp_path).fetch(described(server.url()))
        assert path == tmp_path / "reads/a.bam"
        assert path.read_bytes() == CONTENT
    assert server.ranges == [None]
    assert left_in(tmp_path) == ["a.bam"]


def test_a_download_that_was_cut_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000, 50_000]
    path = fetcher(tmp_path).fetch(described(server.url()))
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_the_next_run_goes_on_too(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000]
    with pytest.raises(DataError, match=r"100000 of 256000 bytes are kept"):
        fetcher(tmp_path, attempts=1).fetch(described(server.url()))
    assert left_in(tmp_path) == ["a.bam.part"]
    assert fetcher(tmp_path).fetch(described(server.url())).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


def test_a_server_that_does_not_know_ranges_sends_all_of_it_again(server: Server, tmp_path: Path) -> None:
    server.knows_ranges = False
    server.cut_after = [100_000]
    assert fetcher(tmp_path).fetch(described(server.url())).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


def test_another_range_than_the_one_asked_for_is_not_appended(server: Server, tmp_path: Path) -> None:
    server.wrong_range = True
    server.cut_after = [100_000]
    with pytest.raises(DataError, match="asked for bytes from 100000, got others"):
        fetcher(tmp_path).fetch(described(server.url()))


def test_the_wrong_content_is_refused_and_thrown_away(server: Server, tmp_path: Path) -> None:
    server.content = b"\xff" + CONTENT[1:]
    with pytest.raises(DataError, match=r"SHA-256 [0-9a-f]{64}, [0-9a-f]{64} is expected"):
        fetcher(tmp_path).fetch(described(server.url()))
    assert left_in(tmp_path) == []


def test_more_bytes_than_the_manifest_says_are_refused(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT + b"more"
    with pytest.raises(DataError, match="gives more than the 256000 bytes"):
        fetcher(tmp_path).fetch(described(server.url()))
    assert left_in(tmp_path) == []


def test_remains_of_another_file_are_not_used(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "reads/a.bam.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * (len(CONTENT) + 1))
    assert fetcher(tmp_path).fetch(described(server.url())).read_bytes() == CONTENT


def test_a_part_that_is_whole_is_only_checked(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "reads/a.bam.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT)
    assert fetcher(tmp_path).fetch(described(server.url())).read_bytes() == CONTENT
    assert server.ranges == []


def test_a_missing_file_is_asked_for_once(server: Server, tmp_path: Path) -> None:
    url = server.url("/missing")
    with pytest.raises(DataError, match=rf"reads/a\.bam: cannot download {url}: the server answered 404"):
        fetcher(tmp_path).fetch(described(url))
    assert server.ranges == [None]


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.busy_answers = 2
    assert fetcher(tmp_path).fetch(described(server.url())).read_bytes() == CONTENT
    assert len(server.ranges) == 3


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with Server() as stopped:
        url = stopped.url()
    with pytest.raises(DataError, match=r"refused \(attempt 2 of 2"):
        fetcher(tmp_path, attempts=2).fetch(described(url))


def test_a_derived_file_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no public address"):
        fetcher(tmp_path).fetch(described(None))


ENTRY = (
    f'version = 1\n[[file]]\npath = "reads/a.bam"\nbytes = 256000\nsha256 = "{hashlib.sha256(CONTENT).hexdigest()}"\n'
)


def manifest(folder: Path, text: str) -> Path:
    path = folder / "manifest.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version = 1", "version = 2", "version 2; this program reads 1"),
        ("reads/a.bam", "../a.bam", "leads out of the data folder"),
        ("reads/a.bam", "/a.bam", "leads out of the data folder"),
        ("bytes = 256000", 'bytes = "many"', "file 1: bytes is 'many'"),
        ('sha256 = "', 'sha256 = "x', "is not 64 hexadecimal digits"),
        ("[[file]]", 'x = 1\n[[file]]\nurl = "file:///etc/passwd"', "neither http nor https"),
        ("[[file]]", "[[file", "is no TOML file"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(DataError, match=message.replace("(", r"\(")):
        fetch_data.read_manifest(manifest(tmp_path, ENTRY.replace(old, new)))


def test_the_project_s_own_manifest_is_read() -> None:
    own = Path(__file__).resolve().parents[2] / "data-manifests/demo.toml"
    files = fetch_data.read_manifest(own)
    assert len({file.path for file in files}) == len(files) > 0
    assert any(file.url for file in files)


def test_check_names_the_altered_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "reads/a.bam"
    arguments = ["--manifest", str(manifest(tmp_path, ENTRY)), "--check", str(tmp_path)]
    assert fetch_data.main(arguments) == 0
    assert "0 files" in capsys.readouterr().out
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert fetch_data.main(arguments) == 0
    assert "1 files" in capsys.readouterr().out
    path.write_bytes(CONTENT[:-1])
    assert fetch_data.main(arguments) == 1
    assert "a.bam is not the file of the manifest: 255999 bytes, 256000 are expected" in capsys.readouterr().err


def test_the_command_line_downloads_what_has_an_address(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    derived = ENTRY.removeprefix("version = 1\n").replace("a.bam", "derived.fa")
    text = ENTRY + f'url = "{server.url()}"\n' + derived
    assert fetch_data.main(["--manifest", str(manifest(tmp_path, text)), "--into", str(tmp_path / "cache")]) == 0
    assert left_in(tmp_path / "cache") == ["a.bam"]
    assert fetch_data.main(["--manifest", str(tmp_path / "no.toml"), "--into", str(tmp_path)]) == 1
    assert "cannot read the manifest" in capsys.readouterr().err


def unsized(url: str, content: bytes = CONTENT) -> DataFile:
    return DataFile("a.cram", None, None, url, hashlib.md5(content).hexdigest())


def test_a_file_of_unknown_size_is_checked_by_md5_and_goes_on_too(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000]
    assert fetcher(tmp_path).fetch(unsized(server.url())).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]
    with pytest.raises(DataError, match=r"MD5 [0-9a-f]{32}, [0-9a-f]{32} is expected"):
        fetcher(tmp_path / "other").fetch(unsized(server.url(), b"other"))
    assert left_in(tmp_path / "other") == []


def test_a_part_that_is_whole_already_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.cram.part").write_bytes(CONTENT)
    assert fetcher(tmp_path).fetch(unsized(server.url())).read_bytes() == CONTENT
    assert server.ranges == ["bytes=256000-"]
    assert left_in(tmp_path) == ["a.cram"]


def test_a_file_address_becomes_a_link_to_a_file_that_was_checked(tmp_path: Path) -> None:
    source = tmp_path / "with blank.bam"
    source.write_bytes(CONTENT)
    path = fetcher(tmp_path / "reads").fetch(unsized(source.as_uri()))
    assert path.is_symlink() and path.read_bytes() == CONTENT
    # Another file at the same address: the link that is there is no proof.
    source.write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match=r"with blank\.bam is not the file of the manifest: MD5 [0-9a-f]{32},"):
        fetcher(tmp_path / "reads").fetch(unsized(source.as_uri()))
    source.unlink()
    with pytest.raises(DataError, match=r"cannot read .*with blank\.bam: No such file"):
        fetcher(tmp_path / "reads").fetch(unsized(source.as_uri()))
