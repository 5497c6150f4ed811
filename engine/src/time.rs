//! Venue time, wall time and calendar dates as distinct types.
//!
//! Reads no clock: venue time comes from applied steps, wall time from the server's
//! injected clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;

/// Venue seconds per trading day.
pub const SECONDS_PER_TRADING_DAY: i64 = 23_400;

/// Trading days per year of volatility.
pub const TRADING_DAYS_PER_YEAR: i64 = 252;

macro_rules! instant {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// RFC 3339 with microseconds in human-readable formats, the integer
        /// elsewhere.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// Returns the instant `micros` later.
            pub const fn plus_micros(self, micros: i64) -> Self {
                Self(self.0.saturating_add(micros))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_rfc3339(self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = TimeError;

            fn from_str(text: &str) -> Result<Self, TimeError> {
                parse_rfc3339(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    i64::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

instant! {
    /// Simulated time of a venue, microseconds since 1970: step `k` is at `t0 + k ×
    /// step_us`. It stands still while the venue is paused.
    VenueTime
}

instant! {
    /// Real time, microseconds since 1970 UTC, for sessions, logs and rate limits;
    /// never used by markets.
    WallTime
}

/// Reason why a text is not a time or a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not `YYYY-MM-DDThh:mm:ss[.ffffff]Z` (or with a `±hh:mm` offset).
    #[error("not an RFC 3339 time with at most microseconds")]
    NotATime,
    /// Not a valid `YYYY-MM-DD`.
    #[error("not a calendar date")]
    NotADate,
}

/// A proleptic Gregorian date, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// Returns the date `year`-`month`-`day`; `None` for an invalid date or a year
    /// outside 1–9999.
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Option<Self> {
        ((1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day))
        .then(|| Self(days_from_civil(year, month, day)))
    }

    /// Returns the date `days` after 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Returns the days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Returns year, month (1–12) and day of the month (1–31).
    pub fn ymd(self) -> (i32, u8, u8) {
        civil_from_days(self.0)
    }

    /// Returns the date `days` later (earlier if negative).
    pub const fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Returns the actual days from `self` to `later`.
    pub const fn days_until(self, later: Date) -> i32 {
        later.0 - self.0
    }

    /// Moves by `months`; the day of the month is kept, limited to the last day of
    /// the target month. There is no end-of-month rule.
    pub fn add_months(self, months: i32) -> Self {
        let (year, month, day) = self.ymd();
        let index = year * 12 + i32::from(month) - 1 + months;
        let (year, month) = (index.div_euclid(12), (index.rem_euclid(12) + 1) as u8);
        Self(days_from_civil(year, month, day.min(days_in_month(year, month))))
    }

    /// Returns the calendar date of `time`.
    pub fn of(time: VenueTime) -> Self {
        Self(time.0.div_euclid(86_400 * MICROS_PER_SECOND) as i32)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Date {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(TimeError::NotADate);
        }
        let number = |range| digits(text, range).ok_or(TimeError::NotADate);
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        Self::from_ymd(year, month as u8, day as u8).ok_or(TimeError::NotADate)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            i32::deserialize(deserializer).map(Self)
        }
    }
}

/// Returns the digits of `text[range]` as a number; `None` for other characters.
fn digits(text: &str, range: std::ops::Range<usize>) -> Option<i32> {
    let part = text.get(range)?;
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, counting 400-year eras of 146,097 days from March,
/// so that the leap day comes last in its year.
fn days_from_civil(year: i32, month: u8, day: u8) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i32::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i32::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i32) -> (i32, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = ((month_from_march + 2) % 12 + 1) as u8;
    (era * 400 + year_of_era + i32::from(month <= 2), month, day)
}

fn write_rfc3339(micros: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let date = Date(seconds.div_euclid(86_400) as i32);
    let second_of_day = seconds.rem_euclid(86_400);
    write!(
        f,
        "{date}T{:02}:{:02}:{:02}.{:06}Z",
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
        micros.rem_euclid(MICROS_PER_SECOND)
    )
}

fn parse_rfc3339(text: &str) -> Result<i64, TimeError> {
    let parse = || {
        let date: Date = text.get(0..10)?.parse().ok()?;
        let at = |index: usize, expected: u8| (text.as_bytes().get(index) == Some(&expected)).then_some(());
        at(10, b'T')?;
        at(13, b':')?;
        at(16, b':')?;
        let (hour, minute, second) = (digits(text, 11..13)?, digits(text, 14..16)?, digits(text, 17..19)?);
        let rest = text.get(19..)?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => {
                let length = rest.bytes().take_while(u8::is_ascii_digit).count();
                if !(1..=6).contains(&length) {
                    return None;
                }
                let value = digits(rest, 0..length)?;
                (i64::from(value) * 10_i64.pow(6 - length as u32), &rest[length..])
            }
            None => (0, rest),
        };
        let offset_minutes = match zone {
            "Z" => 0,
            _ => {
                let sign = match zone.as_bytes().first()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let shape = zone.len() == 6 && zone.as_bytes()[3] == b':';
                let (hours, minutes) = (digits(zone, 1..3)?, digits(zone, 4..6)?);
                (shape && hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))?
            }
        };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = i64::from(date.days()) * 86_400 + i64::from(hour * 3_600 + minute * 60 + second)
            - i64::from(offset_minutes) * 60;
        Some(seconds * MICROS_PER_SECOND + fraction)
    };
    parse().ok_or(TimeError::NotATime)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn dates_convert_to_days_and_back() {
        assert_eq!(date("1970-01-01").days(), 0);
        assert_eq!(date("2000-03-01").days(), 11_017);
        for days in (-719_162..2_932_896).step_by(97) {
            let (year, month, day) = Date(days).ymd();
            assert_eq!(Date::from_ymd(year, month, day), Some(Date(days)));
        }
        for text in ["2023-02-29", "2023-13-01", "2023-1-01", "0000-01-01", "2023-00-10"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn months_are_added_and_days_clipped() {
        assert_eq!(date("2024-01-31").add_months(1), date("2024-02-29"));
        assert_eq!(date("2024-03-31").add_months(-1), date("2024-02-29"));
        assert_eq!(date("2024-11-15").add_months(-12), date("2023-11-15"));
        assert_eq!(date("2024-02-29").add_months(12), date("2025-02-28"));
    }

    #[test]
    fn times_are_rfc_3339_with_microseconds() {
        let time = VenueTime(1_767_605_400_000_001);
        assert_eq!(time.to_string(), "2026-01-05T09:30:00.000001Z");
        assert_eq!("2026-01-05T09:30:00.000001Z".parse(), Ok(time));
        assert_eq!("2026-01-05T10:30:00.000001+01:00".parse(), Ok(time));
        assert_eq!("2026-01-05T09:30:00.5Z".parse(), Ok(VenueTime(1_767_605_400_500_000)));
        for text in [
            "",
            "2026-01-05",
            "2026-01-05T09:30:00",
            "2026-01-05T25:00:00Z",
            "2026-01-05T09:30:00.1234567Z",
            "é026-01-05T09:30:00Z",
        ] {
            assert_eq!(text.parse::<VenueTime>(), Err(TimeError::NotATime), "{text}");
        }
    }
}
