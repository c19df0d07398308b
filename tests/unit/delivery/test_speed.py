"""A code is with the mail server almost as soon as it is committed."""

from bench import delivery


def test_the_median_from_commit_to_mail_server_is_far_below_what_people_notice():
    """Aimed at: 300 ms on an idle node (python -m bench.delivery). Bound here: a machine under tests."""
    assert delivery.measure(5).median < 1000
