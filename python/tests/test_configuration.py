from pathlib import Path

import pytest

from seedsieve_train.configuration import Configuration, read_configuration
from seedsieve_train.errors import TrainingError

REFERENCE = Path(__file__).resolve().parents[1] / "configs" / "seed_filter_v1.toml"


def test_the_reference_file_states_what_holds_without_it():
    assert read_configuration(REFERENCE) == Configuration()
    for line in Configuration().to_toml().splitlines():
        assert line.split("=")[0].strip() in REFERENCE.read_text()


def test_what_is_written_reads_back(tmp_path):
    changed = read_configuration(None, ["train.epochs=3", 'data.policy="near-best"', "train.learning_rate=0.00012345"])
    (tmp_path / "a.toml").write_text(changed.to_toml())
    assert read_configuration(tmp_path / "a.toml") == changed != Configuration()


def test_the_command_line_comes_after_the_file(tmp_path):
    (tmp_path / "a.toml").write_text("[train]\nepochs = 4\nseed = 7\n")
    found = read_configuration(tmp_path / "a.toml", ["train.epochs=5", "model.name=x"]).train
    assert (found.epochs, found.seed, found.batch_size) == (5, 7, 2_048)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[train\n", "a.toml: not TOML"),
        ("epochs = 3\n", "the key epochs stands outside the sections"),
        ("[train]\nepochs = 3.5\n", "a.toml: train.epochs is 3.5, valid is a whole number"),
        ("[train]\nepochs = true\n", "train.epochs is True, valid is a whole number"),
        ("[train]\nlearning_rate = nan\n", "train.learning_rate is nan; valid are 0 to 10"),
        ("[data]\npolicy = 3\n", "data.policy is 3, valid is a text"),
        ("[threshold]\nvalue = -0.5\n", "threshold.value is -0.5; valid are 0 to 1, or -1"),
    ],
)
def test_bad_files_are_refused_with_place_and_range(tmp_path, content, message):
    (tmp_path / "a.toml").write_text(content)
    with pytest.raises(TrainingError) as error:
        read_configuration(tmp_path / "a.toml")
    assert message in str(error.value)
