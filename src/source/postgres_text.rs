//! What PostgreSQL would write and hash: the text of a record and its 64-bit hash, made here bit for bit.
//!
//! Knows no rows and no connection. Contract: [`RecordText`] writes what `ROW(…)::text` is in a session with ISO dates and all digits
//! of a double, on PostgreSQL 12 or newer, and hashes it as `hashtextextended(…, 0)` does under the collation "C" on a little-endian
//! machine. Neither is taken on trust: before anybody relies on it, the server is asked for [`PROBE`], which must be [`probe_hash`].

use crate::market::DAY_US;

/// From 1970-01-01 to PostgreSQL's own 2000-01-01.
pub(super) const EPOCH_DAYS: i64 = 10_957;
/// Days from PostgreSQL's day 0 to 0044-03-15 BC.
const IDES_OF_MARCH: i64 = -746_117;

/// The hash of a record with everything that servers may write differently.
pub(super) const PROBE: &str = "SELECT pg_catalog.hashtextextended(ROW(DATE '2024-03-01', DATE '0044-03-15 BC', \
     TIMESTAMP '1999-12-31 23:59:59.25', '1e23'::float8, '0.1'::float8 + '0.2'::float8, '-0'::float8, '5e-324'::float8, '1e15'::float8, \
     '123456789012345.6'::float8, '0.00001'::float8, '0.0001'::float8, 'NaN'::float8, '-Infinity'::float8, NULL::float8, \
     9007199254740993::int8, (-7)::int2, '1.5'::float4::float8, ''::text, ' a\"b,c'::text)::text COLLATE \"C\", 0)";

/// What [`PROBE`] answers where a server writes and hashes as it is done here.
pub(super) fn probe_hash() -> i64 {
    const MARCH_2024: i64 = 8_826;
    let mut record = RecordText::default();
    record.begin();
    record.day(MARCH_2024);
    record.day(IDES_OF_MARCH);
    record.moment(-750_000);
    for number in [1e23, 0.1 + 0.2, -0.0, 5e-324, 1e15, 123_456_789_012_345.6, 1e-5, 1e-4, f64::NAN, f64::NEG_INFINITY] {
        record.double(number);
    }
    record.missing();
    record.integer(9_007_199_254_740_993);
    record.integer(-7);
    record.double(1.5);
    record.text(b"");
    record.text(b" a\"b,c");
    record.end().cast_signed()
}

/// The text of a record, written value by value into memory that is used again.
#[derive(Debug, Default)]
pub(super) struct RecordText {
    bytes: Vec<u8>,
}

impl RecordText {
    /// Begins a record.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.bytes.clear();
    }

    /// The mark in front of a value: a bracket or a comma.
    #[inline]
    fn mark(&mut self) {
        self.bytes.push(if self.bytes.is_empty() { b'(' } else { b',' });
    }

    /// A NULL.
    #[inline]
    pub(super) fn missing(&mut self) {
        self.mark();
    }

    #[inline]
    pub(super) fn integer(&mut self, number: i64) {
        self.mark();
        self.bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    #[inline]
    pub(super) fn double(&mut self, number: f64) {
        self.mark();
        write_double(number, &mut self.bytes);
    }

    /// A date, in days since 2000-01-01; the two infinities are the ends of the type's range.
    #[inline]
    pub(super) fn day(&mut self, days: i64) {
        self.mark();
        match days {
            INFINITE_DAY => self.bytes.extend_from_slice(b"infinity"),
            BEFORE_ALL_DAYS => self.bytes.extend_from_slice(b"-infinity"),
            _ => {
                let civil = Civil::of(days + EPOCH_DAYS);
                // The blank in front of BC needs quotes.
                self.quoted_if(civil.is_bc(), |bytes| {
                    civil.write(bytes);
                    civil.write_era(bytes);
                });
            }
        }
    }

    /// A timestamp without a zone, in microseconds since 2000-01-01.
    #[inline]
    pub(super) fn moment(&mut self, micros: i64) {
        match micros {
            i64::MAX | i64::MIN => {
                self.mark();
                self.bytes.extend_from_slice(if micros == i64::MAX { b"infinity".as_slice() } else { b"-infinity" });
            }
            _ => {
                self.mark();
                let civil = Civil::of(micros.div_euclid(DAY_US) + EPOCH_DAYS);
                let of_day = micros.rem_euclid(DAY_US);
                self.quoted_if(true, |bytes| {
                    civil.write(bytes);
                    write_time_of_day(of_day, bytes);
                    civil.write_era(bytes);
                });
            }
        }
    }

    /// A text, which must be ASCII: what else is a blank, and which bytes stand for a letter, is up to the server's language.
    #[inline]
    pub(super) fn text(&mut self, text: &[u8]) {
        self.mark();
        let needs_quotes = |byte: &u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b',' | b' ' | b'\t'..=b'\r');
        self.quoted_if(text.is_empty() || text.iter().any(needs_quotes), |bytes| {
            for byte in text {
                if matches!(byte, b'"' | b'\\') {
                    bytes.push(*byte);
                }
                bytes.push(*byte);
            }
        });
    }

    #[inline]
    fn quoted_if(&mut self, is_quoted: bool, write: impl FnOnce(&mut Vec<u8>)) {
        if is_quoted {
            self.bytes.push(b'"');
        }
        write(&mut self.bytes);
        if is_quoted {
            self.bytes.push(b'"');
        }
    }

    /// The hash of the whole record.
    #[inline]
    pub(super) fn end(&mut self) -> u64 {
        self.bytes.push(b')');
        hash(&self.bytes)
    }
}

/// PostgreSQL's two infinite dates, in its own days.
pub(super) const INFINITE_DAY: i64 = i32::MAX as i64;
pub(super) const BEFORE_ALL_DAYS: i64 = i32::MIN as i64;

/// A day of the Gregorian calendar, which goes on before it was made, with a year 0 that people call 1 BC.
#[derive(Debug, Clone, Copy)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
}

impl Civil {
    /// The day so many days after 1970-01-01. Years begin in March here, so that a leap day is the last of its year.
    #[inline]
    fn of(days: i64) -> Self {
        const FROM_MARCH_OF_YEAR_0: i64 = 719_468;
        const DAYS_OF_400_YEARS: i64 = 146_097;
        let days = days + FROM_MARCH_OF_YEAR_0;
        let era = days.div_euclid(DAYS_OF_400_YEARS);
        let day_of_era = days.rem_euclid(DAYS_OF_400_YEARS);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
    }

    fn is_bc(self) -> bool {
        self.year <= 0
    }

    /// The year as PostgreSQL extracts it: none is 0.
    fn counted_year(self) -> i64 {
        if self.is_bc() { self.year - 1 } else { self.year }
    }

    #[inline]
    fn write(self, bytes: &mut Vec<u8>) {
        let year = if self.is_bc() { 1 - self.year } else { self.year };
        if (1_000..=9_999).contains(&year) {
            two_digits(year / 100, bytes);
            two_digits(year % 100, bytes);
        } else {
            bytes.extend_from_slice(format!("{year:04}").as_bytes());
        }
        bytes.push(b'-');
        two_digits(self.month, bytes);
        bytes.push(b'-');
        two_digits(self.day, bytes);
    }

    fn write_era(self, bytes: &mut Vec<u8>) {
        if self.is_bc() {
            bytes.extend_from_slice(b" BC");
        }
    }
}

/// The year of a day, counted from 1970-01-01, as PostgreSQL extracts it.
#[inline]
pub(super) fn year_of_day(days: i64) -> i64 {
    Civil::of(days).counted_year()
}

#[inline]
fn two_digits(number: i64, bytes: &mut Vec<u8>) {
    let digit = |number: i64| b'0' + u8::try_from(number % 10).unwrap_or_default();
    bytes.extend_from_slice(&[digit(number / 10), digit(number)]);
}

/// ` 09:31:00`, with as many digits of a second behind as there are.
fn write_time_of_day(micros: i64, bytes: &mut Vec<u8>) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    for (mark, number) in [(b' ', seconds / 3_600), (b':', seconds / 60 % 60), (b':', seconds % 60)] {
        bytes.push(mark);
        two_digits(number, bytes);
    }
    if fraction > 0 {
        bytes.extend_from_slice(format!(".{fraction:06}").trim_end_matches('0').as_bytes());
    }
}

/// A double as the server writes it: the shortest digits that are no other double, fixed from 1e-4 up to 1e15.
#[inline]
fn write_double(number: f64, bytes: &mut Vec<u8>) {
    /// From here on every double is a whole number, and a short text may be as near to one double as to the next.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    let size = number.abs();
    if !number.is_finite() {
        let name = if number.is_nan() { "NaN" } else { "Infinity" };
        if number < 0.0 {
            bytes.push(b'-');
        }
        bytes.extend_from_slice(name.as_bytes());
    } else if (1e-4..1e15).contains(&size) || size == 0.0 {
        if number.is_sign_negative() {
            bytes.push(b'-');
        }
        if !write_price(size, bytes) {
            let mut buffer = ryu::Buffer::new();
            let text = buffer.format_finite(size);
            bytes.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
        }
    } else {
        let mut decimal = Decimal::of(size);
        if size >= WHOLE && decimal.is_half_way(size) {
            decimal = decimal.longer(size);
        }
        if number < 0.0 {
            bytes.push(b'-');
        }
        decimal.write_scientific(bytes);
    }
}

/// Writes a number that has two or four decimals, as most prices do; `false` where it has more.
///
/// Much faster than to look for the shortest digits, and the same: no two decimals of up to 15 digits are one double, so one that is read
/// as this number is the shortest once it has no zeros at its end. Dividing two whole numbers is how such a decimal is read.
#[inline]
fn write_price(size: f64, bytes: &mut Vec<u8>) -> bool {
    for (scale, parts, digits) in [(100.0, 100, 2_u32), (10_000.0, 10_000, 4)] {
        let scaled = size * scale + 0.5;
        if scaled >= 1e15 {
            return false;
        }
        let scaled = scaled as u64;
        if scaled as f64 / scale == size {
            bytes.extend_from_slice(itoa::Buffer::new().format(scaled / parts).as_bytes());
            let mut fraction = scaled % parts;
            if fraction != 0 {
                bytes.push(b'.');
                let mut place = 10_u64.pow(digits - 1);
                while fraction != 0 {
                    bytes.push(b'0' + u8::try_from(fraction / place).unwrap_or_default());
                    fraction %= place;
                    place = (place / 10).max(1);
                }
            }
            return true;
        }
    }
    false
}

/// Digits times a power of ten; the last digit is no zero.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that is read as this number, which is positive.
    fn of(number: f64) -> Self {
        Self::read(ryu::Buffer::new().format_finite(number))
    }

    /// Reads `1234.5`, `1.2345e-7`.
    fn read(text: &str) -> Self {
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let read = |part: &str, from: u64| part.bytes().fold(from, |sum, byte| sum * 10 + u64::from(byte - b'0'));
        let behind = i32::try_from(fraction.len()).unwrap_or_default();
        let mut decimal = Self { digits: read(fraction, read(whole, 0)), exponent: exponent.parse().unwrap_or(0) - behind };
        while decimal.digits != 0 && decimal.digits.is_multiple_of(10) {
            decimal.digits /= 10;
            decimal.exponent += 1;
        }
        decimal
    }

    /// Whether this is exactly the middle between a number, which is a whole one beyond 2^53, and one of its neighbours. The usual
    /// shortest text may be one, because it is read as the even one of the two; PostgreSQL does not rely on that.
    ///
    /// Such a middle is an odd number times a power of two, so a power of ten is half-way only where its fives are in that odd number.
    /// A power of two has another neighbour below; no middle there has so few digits.
    fn is_half_way(self, number: f64) -> bool {
        let bits = number.to_bits();
        let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
        // The number is the mantissa times two to this.
        let power = i32::try_from(bits >> 52).unwrap_or_default() - 1_075;
        let Ok(fives) = u32::try_from(self.exponent) else { return false };
        let odd_part = u128::from(self.digits >> self.digits.trailing_zeros()).checked_mul(5_u128.checked_pow(fives).unwrap_or(u128::MAX));
        let middles = [u128::from(2 * mantissa - 1), u128::from(2 * mantissa + 1)];
        let twos = i64::from(self.digits.trailing_zeros()) + i64::from(self.exponent);
        twos == i64::from(power) - 1 && odd_part.is_some_and(|odd| middles.contains(&odd))
    }

    /// The shortest decimal with more digits that is read as the number however halves are rounded.
    fn longer(self, number: f64) -> Self {
        let digits = self.digits.max(1).ilog10() as usize + 1;
        (digits + 1..=17)
            .map(|digits| Self::read(&format!("{number:.*e}", digits - 1)))
            .find(|decimal| decimal.is_read_as(number) && !decimal.is_half_way(number))
            .unwrap_or(self)
    }

    fn is_read_as(self, number: f64) -> bool {
        format!("{}e{}", self.digits, self.exponent).parse() == Ok(number)
    }

    /// `1.2345e-07`: at least two digits of an exponent, and always its sign.
    fn write_scientific(self, bytes: &mut Vec<u8>) {
        let digits = self.digits.to_string();
        let (first, rest) = digits.split_at(1);
        let exponent = self.exponent + i32::try_from(rest.len()).unwrap_or_default();
        bytes.extend_from_slice(first.as_bytes());
        if !rest.is_empty() {
            bytes.push(b'.');
            bytes.extend_from_slice(rest.as_bytes());
        }
        bytes.extend_from_slice(format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()).as_bytes());
    }
}

/// `hash_bytes_extended` with the seed 0: Bob Jenkins' lookup3 of 2006 (public domain) with other numbers, both halves of its result.
fn hash(bytes: &[u8]) -> u64 {
    const SEED: u32 = 0x9e37_79b9_u32.wrapping_add(3_923_095);
    // Lengths beyond four billion are no rows of bars.
    let begin = SEED.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (begin, begin, begin);
    let (blocks, rest) = bytes.as_chunks::<12>();
    for block in blocks {
        let [x, y, z] = words(block);
        (a, b, c) = mixed(a.wrapping_add(x), b.wrapping_add(y), c.wrapping_add(z));
    }
    // The lowest byte of c is left out, as if it were the length's.
    let mut last = [0; 12];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let [x, y, z] = words(&last);
    (a, b, c) = (a.wrapping_add(x), b.wrapping_add(y), c.wrapping_add(z << 8));
    for (with, turn) in [(0_u8, 14), (1, 11), (2, 25), (0, 16), (1, 4), (2, 14), (0, 24)] {
        match with {
            0 => c = (c ^ b).wrapping_sub(b.rotate_left(turn)),
            1 => a = (a ^ c).wrapping_sub(c.rotate_left(turn)),
            _ => b = (b ^ a).wrapping_sub(a.rotate_left(turn)),
        }
    }
    (u64::from(b) << 32) | u64::from(c)
}

#[inline]
fn words(block: &[u8; 12]) -> [u32; 3] {
    let (words, _) = block.as_chunks::<4>();
    [0, 1, 2].map(|word| words.get(word).map_or(0, |bytes| u32::from_le_bytes(*bytes)))
}

#[inline]
fn mixed(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    for turn in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(turn.0);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(turn.1);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(turn.2);
        b = b.wrapping_add(a);
    }
    (a, b, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(number: f64) -> String {
        let mut bytes = Vec::new();
        write_double(number, &mut bytes);
        String::from_utf8(bytes).expect("ASCII")
    }

    // What PostgreSQL 15 writes.
    #[test]
    fn doubles_are_written_as_the_server_does() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (40.61, "40.61"),
            (100.0, "100"),
            (0.0001, "0.0001"),
            (-0.5, "-0.5"),
            (7.0001, "7.0001"),
            (1_234.05, "1234.05"),
            (0.1 + 0.2, "0.30000000000000004"),
            (9_999_999_999_999.99, "9999999999999.99"),
            (99_999_999_999_999.98, "99999999999999.98"),
            (0.000_099_9, "9.99e-05"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e15, "1e+15"),
            (1_234_567_890_123_456.7, "1.2345678901234568e+15"),
            (1e22, "1e+22"),
            // Half-way between two doubles, and read as the smaller one where halves go to the even one.
            (1e23, "9.999999999999999e+22"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (-f64::MIN_POSITIVE, "-2.2250738585072014e-308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double(number), text);
        }
    }

    // What PostgreSQL 15 answers to `hashtextextended(…, 0)`.
    #[test]
    fn texts_are_hashed_as_the_server_does() {
        for (text, hashed) in [
            ("", -6_939_563_903_564_495_251),
            ("a", 3_591_986_179_850_072_241),
            ("hello world!", -2_866_487_628_948_787_489),
            ("hello, wide world of bars", 4_168_287_462_686_186_501_i64),
        ] {
            assert_eq!(hash(text.as_bytes()).cast_signed(), hashed, "{text}");
        }
    }

    #[test]
    fn days_and_times_are_written_in_every_era() {
        let mut record = RecordText::default();
        record.begin();
        record.day(0);
        record.day(IDES_OF_MARCH);
        record.day(INFINITE_DAY);
        record.moment(34_260_250_000);
        record.moment(-1);
        record.missing();
        record.text(b"a\\b");
        record.text(b"");
        record.end();
        let text = String::from_utf8(record.bytes).expect("ASCII");
        assert_eq!(text, r#"(2000-01-01,"0044-03-15 BC",infinity,"2000-01-01 09:31:00.25","1999-12-31 23:59:59.999999",,"a\\b","")"#);
        assert_eq!((year_of_day(IDES_OF_MARCH + EPOCH_DAYS), year_of_day(-1), year_of_day(0)), (-44, 1969, 1970));
    }
}
