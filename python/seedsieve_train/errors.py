"""The one error that is shown to users without a traceback."""


class TrainingError(Exception):
    """Input or settings that cannot be used: names the file or option, the value, what is valid and what to do."""
