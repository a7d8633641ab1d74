//! Values as the server itself would write them, for digests that must be the server's bit for bit.
//!
//! Only what `mysql_digest` has in its statement: doubles, whole numbers, dates, quoted texts.

use super::values::Moment;

/// Whole numbers of up to so many digits are written out, and so are numbers with fewer zeros than that behind the point; longer ones
/// only where there is something behind the point.
const LONGEST_PLAIN: i32 = 15;

/// A double as `my_gcvt` writes it: the fewest digits that tell it from its neighbours.
pub(super) fn put_double(out: &mut Vec<u8>, number: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(number);
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    out.extend(sign.as_bytes());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, ""));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = if fraction == "0" { "" } else { fraction };
    if exponent.is_empty() && (whole.len() <= 15 || !fraction.is_empty()) {
        // Both write the usual sizes alike.
        out.extend(whole.as_bytes());
        if !fraction.is_empty() {
            out.push(b'.');
            out.extend(fraction.as_bytes());
        }
        return;
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    let trailing = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    let before_point = i32::try_from(whole.len()).unwrap_or_default() - i32::try_from(leading).unwrap_or_default();
    let point = before_point + exponent.parse::<i32>().unwrap_or_default();
    put_digits(out, digits.get(leading..digits.len().saturating_sub(trailing)).unwrap_or_default(), point);
}

/// Digits without zeros at either end, and where among them the point is.
fn put_digits(out: &mut Vec<u8>, digits: &[u8], point: i32) {
    let length = i32::try_from(digits.len()).unwrap_or_default();
    let zeros = |out: &mut Vec<u8>, count: i32| out.extend((0..count).map(|_| b'0'));
    let split = |at: i32| digits.split_at_checked(usize::try_from(at).unwrap_or_default()).unwrap_or((digits, &[]));
    if (1 - LONGEST_PLAIN..=LONGEST_PLAIN.max(length - 1)).contains(&point) {
        if point <= 0 {
            out.extend(b"0.");
            zeros(out, -point);
            out.extend(digits);
        } else if point >= length {
            out.extend(digits);
            zeros(out, point - length);
        } else {
            let (whole, fraction) = split(point);
            out.extend(whole);
            out.push(b'.');
            out.extend(fraction);
        }
        return;
    }
    let (first, rest) = split(1);
    out.extend(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend(rest);
    }
    out.extend(format!("e{}", point - 1).as_bytes());
}

pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    put_unsigned(out, number.unsigned_abs());
}

pub(super) fn put_unsigned(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        used += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits.get(digits.len() - used..).unwrap_or_default());
}

/// `2024-03-01`
pub(super) fn put_day(out: &mut Vec<u8>, moment: &Moment) {
    put_padded(out, u32::from(moment.year), 4);
    out.push(b'-');
    put_padded(out, u32::from(moment.month), 2);
    out.push(b'-');
    put_padded(out, u32::from(moment.day), 2);
}

/// `2024-03-01 09:31:00`, with so many digits of the second behind it.
pub(super) fn put_moment(out: &mut Vec<u8>, moment: &Moment, decimals: u8) {
    put_day(out, moment);
    for (mark, part) in [(b' ', moment.hour), (b':', moment.minute), (b':', moment.second)] {
        out.push(mark);
        put_padded(out, u32::from(part), 2);
    }
    if decimals > 0 {
        out.push(b'.');
        put_padded(out, moment.micros / 10_u32.pow(6_u32.saturating_sub(u32::from(decimals))), usize::from(decimals));
    }
}

fn put_padded(out: &mut Vec<u8>, number: u32, width: usize) {
    let mut divisor = 10_u32.pow(u32::try_from(width).unwrap_or_default().saturating_sub(1));
    while divisor > 0 {
        out.push(b'0' + (number / divisor % 10) as u8);
        divisor /= 10;
    }
}

/// `QUOTE(text)`
pub(super) fn put_quoted(out: &mut Vec<u8>, text: Option<&[u8]>) {
    let Some(text) = text else { return out.extend(b"NULL") };
    out.push(b'\'');
    for byte in text {
        match byte {
            0 => out.extend(b"\\0"),
            0x1A => out.extend(b"\\Z"),
            b'\'' | b'\\' => out.extend([b'\\', *byte]),
            _ => out.push(*byte),
        }
    }
    out.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(number: f64) -> String {
        let mut out = Vec::new();
        put_double(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    /// What MariaDB 10.11 answered.
    #[test]
    fn doubles_are_written_as_the_server_does() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-40.61, "-40.61"),
            (123_456.75, "123456.75"),
            (1e14, "100000000000000"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e15, "1e15"),
            (1_234_567_890_123_456.0, "1.234567890123456e15"),
            (1e16, "1e16"),
            (4_503_599_627_370_495.5, "4503599627370495.5"),
            (9_007_199_254_740_991.0, "9.007199254740991e15"),
            (1.5e300, "1.5e300"),
            (0.1, "0.1"),
            (0.00001, "0.00001"),
            (1.25e-7, "0.000000125"),
            (1e-15, "0.000000000000001"),
            (1.5e-15, "0.0000000000000015"),
            (1e-16, "1e-16"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e308"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            assert_eq!(double(number), text);
        }
    }

    #[test]
    fn whole_numbers_days_and_texts_are_written_as_the_server_does() {
        let written = |put: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            put(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(&|out| put_signed(out, i64::MIN)), "-9223372036854775808");
        assert_eq!(written(&|out| put_unsigned(out, u64::MAX)), "18446744073709551615");
        assert_eq!(written(&|out| put_signed(out, 0)), "0");
        let moment = Moment { year: 987, month: 3, day: 1, hour: 9, minute: 31, second: 5, micros: 250_000 };
        assert_eq!(written(&|out| put_day(out, &moment)), "0987-03-01");
        assert_eq!(written(&|out| put_moment(out, &moment, 0)), "0987-03-01 09:31:05");
        assert_eq!(written(&|out| put_moment(out, &moment, 3)), "0987-03-01 09:31:05.250");
        assert_eq!(written(&|out| put_quoted(out, Some(b"it's\\\0\x1a"))), "'it\\'s\\\\\\0\\Z'");
        assert_eq!(written(&|out| put_quoted(out, None)), "NULL");
    }
}
