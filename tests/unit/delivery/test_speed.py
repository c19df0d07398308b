"""A code is with the mail server almost as soon as it is committed."""

from bench import delivery


def test_the_median_from_commit_to_mail_server_is_below_300_milliseconds():
    """Tens on an idle node (python -m bench.delivery), and not many more on one that runs tests."""
    assert delivery.measure(7).median < 300
