"""A short soak at each run of the tests; the long one is `./build.sh soak`."""

from tests.soak.__main__ import soak


def test_in_bad_weather_every_message_comes_to_one_true_end_and_nothing_leaks() -> None:
    result = soak(20, modems=8, pace=20, seed=4711)
    assert result["problems"] == []
    assert result["posted"] > 200
    assert result["faults_struck"] > 40
