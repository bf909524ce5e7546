import pyarrow as pa
import pytest

from seedsieve_train.labels import viable

BATCH = pa.record_batch(
    {
        "own_score": pa.array([30, 29, 100, 60], pa.int32()),
        "read_best": pa.array([50, 29, 121, 60], pa.int32()),
        "region_score": pa.array([None, 30, 29, 150], pa.int32()),
        "role": ["none", "secondary", "below_threshold", "none"],
    }
)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("own-extension", [True, False, True, True]),
        ("near-best", [True, False, False, True]),
        ("contributed", [False, True, False, False]),
    ],
)
def test_policies(policy, expected):
    assert viable(BATCH, policy, 30).tolist() == expected


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="'best'; valid are own-extension, near-best, contributed"):
        viable(BATCH, "best", 30)
