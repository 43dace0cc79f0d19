"""What holds for the tests of every folder."""

from hypothesis import settings

# A slow example is a busy machine's: the limit of 200 ms that hypothesis sets would tell of that, not of the code. What
# takes too long in earnest meets the time-out of its test.
settings.register_profile("repository", settings(), deadline=None)
settings.load_profile("repository")
