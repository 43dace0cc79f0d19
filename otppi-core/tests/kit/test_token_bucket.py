from otppi.kit.token_bucket import TokenBucket


def test_many_at_once_and_then_an_even_pace() -> None:
    now = [0.0]
    bucket = TokenBucket(3, 0.5, lambda: now[0])
    assert [bucket.delay() for _ in range(5)] == [0, 0, 0, 2, 4]
    now[0] = 4.0
    assert bucket.delay() == 2
    now[0] = 1_000.0
    assert [bucket.allows() for _ in range(4)] == [True, True, True, False]
    now[0] = 1_002.0
    assert [bucket.allows() for _ in range(2)] == [True, False]
