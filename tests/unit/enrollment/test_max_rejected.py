"""How many refusals are tolerated."""

import pytest

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected


@pytest.mark.parametrize(
    ("value", "refused", "of", "tolerated"),
    [
        (0, 0, 10, True),
        (0, 1, 10, False),
        (3, 3, 10, True),
        (3, 4, 10, False),
        ("3", 3, 10, True),
        (" 3 ", 4, 10, False),
        ("0%", 0, 10, True),
        ("0%", 1, 10**6, False),
        ("5%", 5, 100, True),
        ("5%", 6, 100, False),
        ("5 %", 3, 60, True),
        ("5%", 1, 19, False),
        ("2.5%", 1, 40, True),
        ("2.5%", 2, 40, False),
        ("100%", 40, 40, True),
        ("5%", 0, 0, True),
    ],
)
def test_number_or_per_cent_of_refusals_is_tolerated(value, refused, of, tolerated):
    assert MaxRejected.read(value).tolerates(refused, of) is tolerated


def test_whole_per_cent_of_a_hundred_means_just_that_many():
    limits = {number: MaxRejected.read(f"{number}%") for number in range(101)}

    assert [number for number, limit in limits.items() if not limit.tolerates(number, 100)] == []
    assert [number for number, limit in limits.items() if limit.tolerates(number + 1, 100)] == []


@pytest.mark.parametrize(("value", "shown"), [(3, "3"), ("3", "3"), ("5%", "5%"), ("2.50 %", "2.5%"), ("29%", "29%")])
def test_limit_is_shown_as_it_was_meant(value, shown):
    assert str(MaxRejected.read(value)) == shown


@pytest.mark.parametrize(
    "value",
    [-1, "-1", "-1%", "101%", "a few", "", "%", "3.5", 3.5, True, False, None, "nan", "nan%", "inf%", [3]],
)
def test_limit_that_makes_no_sense_names_the_argument(value):
    with pytest.raises(ValueError, match=r"max_rejected is .*; it must be a whole number from 0, or a per cent"):
        MaxRejected.read(value)
