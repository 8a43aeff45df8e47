"""Progress and its interval."""

import pytest

from accordingto.review.progress import Progress, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 1, 0.2065, 1.0), (81, 263, 0.2553, 0.3662)],  # the last is Newcombe's (1998), method 3
)
def test_wilson_interval_is_that_of_the_tables(successes, trials, low, high):
    assert wilson_interval(successes, trials) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_counts_add_up_and_unsure_is_no_part_of_the_precision():
    progress = Progress(total=50, accepted=8, rejected=2, unsure=5, conflicting=1, added=3)
    assert (progress.done, progress.left) == (15, 35)
    assert progress.precision == (0.8, *wilson_interval(8, 10))
    assert Progress(50, 0, 0, 5, 0, 0).precision is None
