"""Lost and moved alignments, by score."""

from kept_alignments import counts


def record(name, flag, position, score):
    """One SAM line."""
    return f"{name}\t{flag}\tchr1\t{position}\t60\t10M\t*\t0\t0\t*\t*\tNM:i:0\tAS:i:{score}\n"


def test_lost_and_moved_are_counted_on_their_side_of_the_score(tmp_path):
    a, b = tmp_path / "a.sam", tmp_path / "b.sam"
    header = "@SQ\tSN:chr1\tLN:1000\n"
    same, secondary = record("same", 0, 5, 30), record("same", 256, 7, 90)
    a.write_text(
        header + same + secondary + record("moved", 0, 5, 40) + record("lost", 64, 5, 29) + record("un", 4, 0, 0)
    )
    b.write_text(header + same + record("moved", 16, 5, 40) + record("lost", 68, 0, 0) + record("un", 0, 9, 50))
    assert counts(a, b, 30) == {"at or above": (2, 0, 1), "below": (1, 1, 0)}
    assert counts(a, b, 29) == {"at or above": (3, 1, 1), "below": (0, 0, 0)}
