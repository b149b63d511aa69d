"""What holds for every test."""

from hypothesis import settings

# How long an example takes says as much of the machine's other work as of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
