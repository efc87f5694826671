"""What names, cameras and copies say about when a photo was taken."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery import dates
from gallery.dates import Evidence, Origin, Precision

NOW = datetime(2026, 11, 22, 12, 0)


@pytest.mark.parametrize(
    ("name", "moment", "precision"),
    [
        ("IMG_20190704_153012.jpg", datetime(2019, 7, 4, 15, 30, 12), "second"),
        (
            "PXL_20210102_030405678.jpg",
            datetime(2021, 1, 2, 3, 4, 5, 678000),
            "day",
        ),
        (
            "PXL_20210102_030405678.MP.jpg",
            datetime(2021, 1, 2, 3, 4, 5, 678000),
            "day",
        ),
        ("20190704_153012.jpg", datetime(2019, 7, 4, 15, 30, 12), "second"),
        ("20190704_153012(0).jpg", datetime(2019, 7, 4, 15, 30, 12), "second"),
        ("20190704153012.jpg", datetime(2019, 7, 4, 15, 30, 12), "second"),
        ("IMG_20190704_153012_1.jpg", datetime(2019, 7, 4, 15, 30, 12), "second"),
        ("IMG_20190704_153012_HDR.jpg", datetime(2019, 7, 4, 15, 30, 12), "second"),
        ("IMG20190704153012.jpg", datetime(2019, 7, 4, 15, 30, 12), "second"),
        ("WP_20140312_18_04_05_Pro.jpg", datetime(2014, 3, 12, 18, 4, 5), "second"),
        ("IMG-20140312-WA0007.jpg", datetime(2014, 3, 12), "latest"),
        (
            "Screenshot_2015-06-01-12-30-05.png",
            datetime(2015, 6, 1, 12, 30, 5),
            "second",
        ),
        (
            "Screenshot_20210601-123005_Chrome.png",
            datetime(2021, 6, 1, 12, 30, 5),
            "second",
        ),
        (
            "Screenshot 2021-06-01 at 12.30.05.png",
            datetime(2021, 6, 1, 12, 30, 5),
            "second",
        ),
        ("2012-05-06 13.14.15.jpg", datetime(2012, 5, 6, 13, 14, 15), "second"),
        (
            "WhatsApp Image 2018-02-03 at 17.22.jpeg",
            datetime(2018, 2, 3, 17, 22),
            "latest",
        ),
        ("VID_20160102_030405.mp4", datetime(2016, 1, 2, 3, 4, 5), "second"),
        ("DSC_20160102_030405.jpg", datetime(2016, 1, 2, 3, 4, 5), "second"),
        ("signal-2020-01-02-030405.jpg", datetime(2020, 1, 2, 3, 4, 5), "latest"),
        (
            "signal-2020-01-02-03-04-05-678.jpg",
            datetime(2020, 1, 2, 3, 4, 5, 678000),
            "latest",
        ),
        ("photo_2020-01-02_03-04-05.jpg", datetime(2020, 1, 2, 3, 4, 5), "latest"),
        ("2009-07-14 Mallorca.jpg", datetime(2009, 7, 14), "day"),
        ("Mallorca 2009_07_14 03.jpg", datetime(2009, 7, 14), "day"),
        ("20090714 Mallorca.jpg", datetime(2009, 7, 14), "day"),
        ("Opa 1931-08-02.tif", datetime(1931, 8, 2), "day"),
        ("received_20170506.jpeg", datetime(2017, 5, 6), "latest"),
    ],
)
def test_names_of_cameras_phones_and_people(name, moment, precision):
    found = dates.from_name(name, now=NOW)
    assert found and found.origin == Origin.FILE_NAME
    assert (found.taken_at, found.precision) == (moment, precision)


@pytest.mark.parametrize(
    "name",
    [
        "DSC01234.JPG",
        "IMG_4711.JPG",
        "100_7100.JPG",
        "+4917620190704.jpg",
        "0049 176 20190704123.jpg",
        "panorama 20000x4000.jpg",
        "20001231x4000.jpg",
        "poster_20190704px.jpg",
        "IMG_20191304_153012.jpg",
        "IMG_20190231_153012.jpg",
        "17980704_153012.jpg",
        "20990704_153012.jpg",
        "1234567820190704.jpg",
        "192.168.20.10.jpg",
        "FB_IMG_1483561234567.jpg",
        "received_10154203847561234.jpeg",
        "a3f20190704bc.jpg",
        "e2f8c1d2-2019-0704.jpg",
        "1-2009-07-14-3.jpg",
        "",
    ],
)
def test_other_numbers_are_not_dates(name):
    assert dates.from_name(name, now=NOW) is None


def test_tomorrow_may_be_another_time_zone_but_next_week_is_a_lie():
    assert dates.from_name("IMG_20261123_080000.jpg", now=NOW)
    assert dates.from_name("IMG_20261129_080000.jpg", now=NOW) is None


@given(st.text(max_size=60))
def test_no_name_breaks_the_reader(name):
    dates.from_name(name, now=NOW)


@given(st.text(max_size=40), st.text(max_size=8), st.text(max_size=8))
def test_no_tag_breaks_the_reader(text, subsecond, offset):
    dates.from_exif(
        text, origin=Origin.EXIF_ORIGINAL, subsecond=subsecond, offset=offset
    )
    dates.from_iso(text)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2026, 1, 1)))
def test_every_moment_survives_in_a_phones_name(moment):
    moment = moment.replace(microsecond=0)
    found = dates.from_name(f"IMG_{moment:%Y%m%d_%H%M%S}.jpg", now=NOW)
    assert found and found.taken_at == moment


def test_exif_with_subseconds_and_offset():
    found = dates.from_exif(
        "2019:07:04 15:30:12",
        origin=Origin.EXIF_ORIGINAL,
        subsecond="07",
        offset="+02:00",
    )
    assert found == Evidence(
        datetime(2019, 7, 4, 15, 30, 12, 70_000),
        Precision.SECOND,
        Origin.EXIF_ORIGINAL,
        120,
    )


@pytest.mark.parametrize(
    "text", ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "2019:02:31 10:00:00"]
)
def test_an_empty_camera_clock_is_no_evidence(text):
    assert dates.from_exif(text, origin=Origin.EXIF_ORIGINAL) is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("+02:00", 120), ("-0330", -210), ("Z", 0), ("+99:00", None), ("   :  ", None)],
)
def test_offsets(text, minutes):
    assert dates.parse_offset(text) == minutes


@pytest.mark.parametrize(
    ("text", "moment", "precision"),
    [
        ("1975", datetime(1975, 1, 1), "year"),
        ("1975-08", datetime(1975, 8, 1), "month"),
        ("1975-08-02", datetime(1975, 8, 2), "day"),
        ("1975-08-02T10:20", datetime(1975, 8, 2, 10, 20), "minute"),
        (
            "1975-08-02T10:20:30.25Z",
            datetime(1975, 8, 2, 10, 20, 30, 250_000),
            "second",
        ),
    ],
)
def test_xmp_dates_are_as_exact_as_they_are_written(text, moment, precision):
    found = dates.from_iso(text)
    assert found and (found.taken_at, found.precision) == (moment, precision)


def said(
    origin: Origin, *when: int, precision: Precision = Precision.SECOND
) -> Evidence:
    return Evidence(datetime(*when), precision, origin)


ORIGINAL = said(Origin.EXIF_ORIGINAL, 2004, 7, 12, 9, 30)
NAMED = said(Origin.FILE_NAME, 2005, 1, 2, precision=Precision.DAY)
COPIED = said(Origin.MODIFICATION_TIME, 2011, 3, 4)


def test_the_camera_is_believed_before_the_name_and_the_copy():
    assert dates.best([COPIED, NAMED, ORIGINAL], now=NOW).origin == Origin.EXIF_ORIGINAL
    assert dates.best([COPIED, NAMED], now=NOW).origin == Origin.FILE_NAME


def test_an_editors_date_is_weaker_than_a_name():
    edited = said(Origin.EXIF_MODIFIED, 2020, 1, 5)
    assert dates.best([edited, NAMED, COPIED], now=NOW).origin == Origin.FILE_NAME
    assert dates.best([edited, COPIED], now=NOW).origin == Origin.EXIF_MODIFIED


@pytest.mark.parametrize(
    "lie",
    [
        datetime(1970, 1, 1, 1, 0),
        datetime(1980, 1, 1, 0, 4, 11),
        datetime(2000, 1, 1, 0, 0, 0),
        datetime(2003, 1, 1, 0, 0, 0),
        datetime(1825, 6, 1),
        datetime(2031, 6, 1),
    ],
)
def test_a_clock_that_was_never_set_is_believed_last(lie):
    claim = Evidence(lie, Precision.SECOND, Origin.EXIF_ORIGINAL)
    assert dates.best([claim, COPIED], now=NOW).origin == Origin.MODIFICATION_TIME


def test_a_known_lie_is_better_than_nothing_but_the_impossible_is_not():
    reset = said(Origin.EXIF_ORIGINAL, 2000, 1, 1)
    assert dates.best([reset], now=NOW).taken_at == datetime(2000, 1, 1)
    future = said(Origin.EXIF_ORIGINAL, 2031, 1, 1)
    assert dates.best([future], now=NOW) == dates.TakenAt()


def test_promise_12_modification_time_becomes_wall_time_without_an_offset():
    found = dates.from_modified(1_089_624_600, zone=ZoneInfo("Europe/Berlin"))
    assert found and found.taken_at == datetime(2004, 7, 12, 11, 30)
    assert found.taken_at.tzinfo is None
    assert found.offset_minutes is None


def test_promise_12_no_offset_is_made_up_for_the_camera():
    found = dates.from_exif("2004:07:12 09:30:00", origin=Origin.EXIF_ORIGINAL)
    assert found and dates.best([found], now=NOW).offset_minutes is None


@pytest.mark.parametrize("mtime", [float("inf"), float("nan"), 1e30, -1e30])
def test_an_impossible_modification_time_is_no_evidence(mtime):
    assert dates.from_modified(mtime, zone=ZoneInfo("UTC")) is None


def test_promise_12_every_date_says_where_it_comes_from():
    sentences = {
        dates.explain(dates.TakenAt(None, None, Precision.DAY, origin))
        for origin in Origin
    }
    assert len(sentences) == len(Origin)
    assert all(sentence.endswith(", to the day.") for sentence in sentences)


@given(st.permutations([ORIGINAL, NAMED, COPIED, said(Origin.XMP, 2004, 7, 12)]))
def test_the_order_of_evidence_does_not_matter(evidence):
    assert dates.best(evidence, now=NOW).taken_at == ORIGINAL.taken_at


def test_evidence_survives_json():
    one = Evidence(
        datetime(2019, 7, 4) + timedelta(microseconds=7),
        Precision.DAY,
        Origin.XMP,
        -210,
    )
    assert Evidence.from_json(one.to_json()) == one


# All there is to say of one photo, weighed


def weighed(*evidence: Evidence) -> dates.TakenAt:
    return dates.weigh(evidence, now=NOW).taken


def by(origin: Origin, *when: int) -> Evidence:
    return said(origin, *when, precision=Precision.LATEST)


FOLDER = said(Origin.FOLDER_NAME, 2009, 7, 1, precision=Precision.MONTH)


def test_what_says_only_by_when_comes_last_and_the_earliest_of_it_counts():
    sent = by(Origin.FILE_NAME, 2014, 3, 12)
    copies = (
        by(Origin.MODIFICATION_TIME, 2013, 1, 5),
        by(Origin.EXIF_MODIFIED, 2015, 1, 1),
    )
    assert weighed(sent, *copies[:1]).taken_at == datetime(2013, 1, 5)
    assert weighed(sent, *copies[:1], FOLDER).origin == Origin.FOLDER_NAME
    assert dates.span(weighed(sent)) == (
        datetime.min,
        datetime(2014, 3, 12, 23, 59, 59, 999_999),
    )


def test_a_finer_date_within_a_coarser_one_is_believed_as_both_agree():
    between = said(Origin.NEIGHBOURS, 2009, 7, 14, precision=Precision.DAY)
    clock = said(Origin.FILE_TIME, 2009, 7, 14, 10, 30, precision=Precision.MINUTE)
    named = said(Origin.FILE_NAME, 2009, 7, 1, precision=Precision.MONTH)
    assert weighed(named, FOLDER, between).precision == Precision.DAY
    other = said(Origin.NEIGHBOURS, 2009, 8, 14, precision=Precision.DAY)
    assert weighed(named, other).precision == Precision.MONTH
    assert weighed(between, clock).precision == Precision.MINUTE


def test_google_knows_the_day_and_a_phone_abroad_the_time():
    google = said(Origin.TAKEOUT, 2017, 8, 29, 19, 42, precision=Precision.DAY)
    phone = said(Origin.FILE_NAME, 2017, 8, 30, 3, 42, 48)
    assert weighed(google, phone).taken_at == phone.taken_at
    other = said(Origin.FILE_NAME, 2017, 9, 30, 3, 42, 48)
    assert weighed(google, other).taken_at == google.taken_at


def test_a_folder_younger_than_its_file_is_disbelieved():
    assert (
        weighed(FOLDER, by(Origin.MODIFICATION_TIME, 2008, 5, 1)).taken_at.year == 2008
    )
    assert weighed(FOLDER, by(Origin.MODIFICATION_TIME, 2009, 7, 1)).taken_at.month == 7
    # A clock that was never set proves nothing.
    assert (
        weighed(FOLDER, by(Origin.MODIFICATION_TIME, 1980, 1, 1)).taken_at.year == 2009
    )


def test_a_camera_in_its_first_january_is_disbelieved_where_the_folder_says_otherwise():
    reset = said(Origin.EXIF_ORIGINAL, 2007, 1, 3, 4, 5)
    assert weighed(reset).taken_at == reset.taken_at
    assert weighed(reset, FOLDER).origin == Origin.FOLDER_NAME
    # The same clock gave the file its time: that is no limit either.
    file = by(Origin.MODIFICATION_TIME, 2007, 1, 3)
    assert weighed(reset, file, FOLDER).origin == Origin.FOLDER_NAME
    winter = said(Origin.FOLDER_NAME, 2007, 1, 1, precision=Precision.YEAR)
    assert weighed(reset, winter).taken_at == reset.taken_at


def test_where_only_liars_speak_no_date_is_believed_and_what_they_say_is_kept():
    reset = said(Origin.EXIF_ORIGINAL, 2000, 1, 1)
    found = dates.weigh([reset], now=NOW)
    assert (found.taken, found.chosen) == (dates.TakenAt(), None)
    assert found.ranked[0].doubt == dates.Doubt.CLOCK


@given(
    st.sampled_from(Precision),
    st.datetimes(datetime(1826, 1, 1), datetime(9999, 12, 31)),
)
def test_every_date_lies_within_what_it_states(precision, moment):
    one = Evidence(moment, precision, Origin.FILE_NAME)
    first, last = dates.span(one)
    starts = {
        Precision.MONTH: first,
        Precision.SEASON: first,
        Precision.YEAR: first,
        Precision.DECADE: first,
    }
    assert first <= starts.get(precision, moment) <= last
