import struct

import pytest

from seedsieve_train.events import EventLog, crc32c, record


def test_the_checksum_is_that_of_the_standard():
    # RFC 3720, appendix B.4: 32 bytes of zeros, and 0 to 31.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_records_can_be_read_back(tmp_path):
    log = EventLog(tmp_path / "events")
    log.add(3, train__loss=0.25, validation__auc=0.5)
    (path,) = (tmp_path / "events").iterdir()
    content, contents = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        contents.append(content[12 : 12 + length])
        assert content[: 16 + length] == record(contents[-1])
        content = content[16 + length :]
    assert b"brain.Event:2" in contents[0] and len(contents) == 3
    assert b"train/loss" in contents[1] and struct.pack("<f", 0.25) in contents[1]


def test_tensorboard_reads_the_log(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = EventLog(tmp_path)
    for step, loss in ((1, 0.5), (2, 0.25)):
        log.add(step, train__loss=loss)
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("train/loss")] == [(1, 0.5), (2, 0.25)]
