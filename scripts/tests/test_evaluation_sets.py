import gzip
import hashlib
import random

import pytest

import evaluation_sets
from bam_to_fastq import Read


@pytest.fixture
def sequence(tmp_path):
    """A packed FASTA file of one sequence over several lines, and the sequence."""
    text = "".join(random.Random(5).choices("ACGT", k=6_000))
    path = tmp_path / "a.fa.gz"
    with gzip.open(path, "wt") as file:
        file.write(">a\n" + "\n".join(text[start : start + 60] for start in range(0, len(text), 60)) + "\n")
    return path, text


def test_simulated_pairs_lie_in_the_sequence_and_face_each_other(sequence):
    path, text = sequence
    pairs = list(evaluation_sets.simulated_pairs("a", path, 40, 0.003))
    assert pairs == list(evaluation_sets.simulated_pairs("a", path, 40, 0.003))
    forward = errors = 0
    for pair in pairs:
        assert [read.mate for read in pair] == [1, 2]
        turned = pair[0].bases.translate(evaluation_sets.COMPLEMENT)[::-1]
        places = [nearest(read, text) for read in (pair[0].bases, turned)]
        forward += places[0][0] < places[1][0]
        errors += min(places)[0]
        assert min(places)[0] <= 8
    assert 5 < forward < 35 and 0 < errors < 100


def nearest(read, text):
    """Mismatches of the best place without gaps, and the place."""
    return min(
        (sum(a != b for a, b in zip(read, text[start : start + len(read)], strict=True)), start)
        for start in range(0, len(text) - len(read) + 1)
        # An exact piece of the read is there at the right place; everything else is far off.
        if text.startswith(read[:12], start) or text.startswith(read[60:72], start + 60) or start == 0
    )


def test_training_and_evaluation_share_no_read_of_the_library(tmp_path):
    path = tmp_path / "a.fastq.gz"
    records = [f"@r{number}\nACGT\n+\nIIII\n" for number in range(10)]
    with gzip.open(path, "wt") as file:
        file.write("".join(records))
    first, rest = (list(evaluation_sets.fastq_records(path, *ends)) for ends in ((0, 7), (7, None)))
    assert first == records[:7] and rest == records[7:]
    sources = {name: source for name, (_, source, _) in evaluation_sets.SETS.items()}
    trained = {source for name, source in sources.items() if name.startswith("train/")}
    evaluated = {source for name, source in sources.items() if name.startswith("test/")}
    assert trained and evaluated and not trained & evaluated


def test_fresh_reads_are_in_no_sample():
    records = [f"@r{number}/1\nACGT\n+\nIIII\n" for number in range(300)]
    fresh = evaluation_sets.unsampled(records, [(100, 1), (50, 3)])
    other = evaluation_sets.unsampled(records, [(100, 1)])
    # Samples of different seeds overlap by chance alone.
    assert 150 < len(fresh) < 200 and len(other) == 200 and set(fresh) < set(other)
    # What `extract-seeds --read-pairs 100 --seed 1` keeps begins with the smallest SHA-256 of seed and name.
    smallest = min(range(300), key=lambda number: hashlib.sha256(bytes(7) + b"\x01" + b"r%d" % number).digest())
    assert records[smallest] not in other
    assert evaluation_sets.unsampled([records[smallest].replace("/1", " 1:N:0")], [(1, 1)]) == []
    assert evaluation_sets.samples_of("foreign_test") == [(3_000, 1), (1_500, 1)]
    assert evaluation_sets.samples_of("foreign_train") == [(12_000, 4), (8_000, 1), (3_000, 3)]


def test_people_at_low_coverage_are_trained_on_or_evaluated_on_at_places_apart():
    train, test = (set(evaluation_sets.LOWCOV_PEOPLE[part]) for part in ("train", "test"))
    assert train and test and not train & test
    places = {
        part: [tuple(map(int, place.split("-"))) for place in of_part]
        for part, of_part in (("train", evaluation_sets.LOWCOV_TRAIN), ("test", evaluation_sets.LOWCOV_TEST))
    }
    # A read that overlaps the one lies no more than its length from it.
    assert all(
        end + 1_000 <= other_start or other_end + 1_000 <= start
        for start, end in places["train"]
        for other_start, other_end in places["test"]
    )
    options = {name: " ".join(settings) for name, (_, _, settings) in evaluation_sets.SETS.items()}
    assert "chrX" in options["train/platinum-k19"] and "chrX" not in options["test/platinum-k19"]


def test_only_pairs_at_unseen_places_are_taken(monkeypatch):
    start, end = evaluation_sets.WINDOWS_START, evaluation_sets.UNSEEN_END
    positions = {"in": (start, end - 1), "out": (start + 5, end), "before": (start - 1, start + 9)}
    reads = [(Read(name, mate, "A", "I"), places[mate - 1]) for name, places in positions.items() for mate in (1, 2)]
    monkeypatch.setattr(evaluation_sets.bam_to_fastq, "reads_and_positions", lambda _: iter(reads))
    pairs = list(evaluation_sets.unseen_pairs("a.bam"))
    assert [(one.name, two.name) for one, two in pairs] == [("in", "in")]
