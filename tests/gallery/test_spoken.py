"""Dates as people say them, in English and German, and what is said of those that are none."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery import spoken
from gallery.spoken import NotADate, Why

NOW = datetime(2026, 11, 22, 12)


@pytest.mark.parametrize(
    ("text", "taken_at", "precision"),
    [
        ("1999", datetime(1999, 1, 1), "year"),
        ("July 2004", datetime(2004, 7, 1), "month"),
        ("Juli 2004", datetime(2004, 7, 1), "month"),
        ("im März 2004", datetime(2004, 3, 1), "month"),
        ("7/2004", datetime(2004, 7, 1), "month"),
        ("07.2004", datetime(2004, 7, 1), "month"),
        ("2004-07", datetime(2004, 7, 1), "month"),
        ("12 July 2004", datetime(2004, 7, 12), "day"),
        ("the 12th of July, 2004", datetime(2004, 7, 12), "day"),
        ("July 12th, 2004", datetime(2004, 7, 12), "day"),
        ("am 12. Juli 2004", datetime(2004, 7, 12), "day"),
        ("12.7.2004", datetime(2004, 7, 12), "day"),
        ("12. 7. 2004", datetime(2004, 7, 12), "day"),
        ("25/12/2004", datetime(2004, 12, 25), "day"),
        ("12/25/2004", datetime(2004, 12, 25), "day"),
        ("5/5/2004", datetime(2004, 5, 5), "day"),
        ("2004-07-12", datetime(2004, 7, 12), "day"),
        ("12 July 2004 15:30", datetime(2004, 7, 12, 15, 30), "minute"),
        ("12 July 2004 at 3:30 pm", datetime(2004, 7, 12, 15, 30), "minute"),
        ("12 July 2004 12 am", datetime(2004, 7, 12), "minute"),
        ("12 July 2004 12 pm", datetime(2004, 7, 12, 12), "minute"),
        ("12. Juli 2004 um 15:30 Uhr", datetime(2004, 7, 12, 15, 30), "minute"),
        ("12.07.2004 15.30", datetime(2004, 7, 12, 15, 30), "minute"),
        ("2004-07-12T15:30:05", datetime(2004, 7, 12, 15, 30, 5), "second"),
        ("29 Feb 2004", datetime(2004, 2, 29), "day"),
        ("summer 1987", datetime(1987, 6, 1), "season"),
        ("im Sommer 1987", datetime(1987, 6, 1), "season"),
        ("Fall of 1990", datetime(1990, 9, 1), "season"),
        ("Frühling 1962", datetime(1962, 3, 1), "season"),
        ("Winter 1987/88", datetime(1987, 12, 1), "season"),
        ("winter 1999/2000", datetime(1999, 12, 1), "season"),
        ("winter 1999/00", datetime(1999, 12, 1), "season"),
        ("1980s", datetime(1980, 1, 1), "decade"),
        ("1980er Jahre", datetime(1980, 1, 1), "decade"),
        ("around 1985", datetime(1985, 1, 1), "year"),
    ],
)
def test_what_people_write_is_read(text, taken_at, precision):
    said = spoken.read(text, now=NOW)
    assert (said.taken_at, said.precision) == (taken_at, precision)


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("summer 1987", date(1987, 6, 1), date(1987, 8, 31)),
        ("winter 1987/88", date(1987, 12, 1), date(1988, 2, 29)),
        ("July 2004", date(2004, 7, 1), date(2004, 7, 31)),
        ("1999", date(1999, 1, 1), date(1999, 12, 31)),
        ("1960s", date(1960, 1, 1), date(1969, 12, 31)),
        ("12 July 2004 15:30", date(2004, 7, 12), date(2004, 7, 12)),
        ("around 1985", date(1983, 1, 1), date(1987, 12, 31)),
        ("um 1985", date(1983, 1, 1), date(1987, 12, 31)),
        ("ca. 1985", date(1983, 1, 1), date(1987, 12, 31)),
        ("~1985", date(1983, 1, 1), date(1987, 12, 31)),
        ("1985?", date(1983, 1, 1), date(1987, 12, 31)),
        ("around summer 1987", date(1987, 6, 1), date(1987, 8, 31)),
    ],
)
def test_a_date_spans_all_days_it_may_have_been(text, earliest, latest):
    said = spoken.read(text, now=NOW)
    assert (said.earliest, said.latest) == (earliest, latest)


def test_nobody_knows_is_an_answer_too():
    assert spoken.read("Unbekannt").taken_at is None
    assert spoken.read("unknown").precision == "unknown"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", Why.NOTHING),
        (" . ", Why.NOTHING),
        ("grandma's birthday", Why.NOT_UNDERSTOOD),
        ("1 1", Why.NOT_UNDERSTOOD),
        ("x" * 5_000, Why.NOT_UNDERSTOOD),
        ("2004-07-12 15", Why.NOT_UNDERSTOOD),
        ("winter 1987/89", Why.NOT_UNDERSTOOD),
        ("31 June 1999", Why.NO_SUCH_DAY),
        ("29.2.2003", Why.NO_SUCH_DAY),
        ("13/2004", Why.NO_SUCH_DAY),
        ("0000", Why.NO_SUCH_DAY),
        ("12 July 2004 25:00", Why.NO_SUCH_TIME),
        ("12 July 2004 13:00 pm", Why.NO_SUCH_TIME),
        ("7/12/2004", Why.DAY_OR_MONTH),
        ("12.7.04", Why.SHORT_YEAR),
        ("summer 87", Why.SHORT_YEAR),
        ("winter 1987", Why.WHICH_WINTER),
        ("1700", Why.TOO_EARLY),
        ("3000", Why.AHEAD),
        ("25 November 2026", Why.AHEAD),
    ],
)
def test_what_cannot_be_read_has_its_reason(text, why):
    with pytest.raises(NotADate) as refusal:
        spoken.read(text, now=NOW)
    assert refusal.value.why is why


@given(st.text(max_size=120))
def test_nothing_that_is_written_breaks_it(text):
    try:
        said = spoken.read(text, now=NOW)
    except NotADate:
        return
    assert (said.taken_at is None) == (said.precision == "unknown")


@given(
    st.lists(
        st.sampled_from(
            [
                "1987",
                "12",
                "7",
                "summer",
                "winter",
                "juli",
                "15:30",
                "pm",
                "um",
                "ca.",
                "/",
                "-",
                ".",
                "1987/88",
                "1980s",
                "?",
                "of",
                "am",
            ]
        ),
        max_size=6,
    )
)
def test_no_mixture_of_known_words_breaks_it(words):
    try:
        said = spoken.read(" ".join(words), now=NOW)
    except NotADate:
        return
    if said.taken_at:
        assert said.earliest <= said.taken_at.date() <= said.latest


def test_a_clock_is_never_set_past_the_end_of_time():
    assert spoken.moved(datetime(9999, 12, 31), timedelta(days=1)) is None
