//! Which rows of a column are null, as Parquet's definition levels; and the runs and bit-packed groups that they and places in a
//! dictionary are written in.
//!
//! Contract: a column's nulls are its NaNs. Reading never gives more values than are asked for.

use super::page::{Bytes, put_varint};

/// Up to this many runs are written as runs: nulls usually are a column's first rows.
const MOST_RUNS: usize = 32;

/// Appends the levels of a page with their length: null where a value is NaN.
pub fn put(out: &mut Vec<u8>, values: &[f64], is_null: impl Fn(f64) -> bool) {
    let start = out.len();
    out.extend([0; 4]);
    let mut runs = 0;
    for run in values.chunk_by(|a, b| is_null(*a) == is_null(*b)) {
        runs += 1;
        if runs > MOST_RUNS {
            out.truncate(start + 4);
            put_packed(out, values.iter().map(|value| u32::from(!is_null(*value))), values.len(), 1);
            break;
        }
        put_varint(out, (run.len() as u64) << 1);
        out.push(u8::from(run.first().is_some_and(|first| !is_null(*first))));
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Appends numbers of `width` bits (8 at most) as one bit-packed group.
pub fn put_packed(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>, count: usize, width: u32) {
    let groups = count.div_ceil(8);
    put_varint(out, (groups as u64) << 1 | 1);
    let end = out.len() + groups * width as usize;
    let (mut held, mut bits) = (0_u64, 0);
    for number in numbers {
        held |= u64::from(number) << bits;
        bits += width;
        while bits >= 8 {
            out.push(held as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(held as u8);
    }
    out.resize(end, 0);
}

/// Appends places in a dictionary: in runs where that is shorter.
pub fn put_places(out: &mut Vec<u8>, places: &[u8], width: u32) {
    let runs = places.chunk_by(|a, b| a == b).count();
    if runs * 3 < places.len() * width as usize / 8 {
        for run in places.chunk_by(|a, b| a == b) {
            put_varint(out, (run.len() as u64) << 1);
            out.extend(run.first());
        }
    } else {
        put_packed(out, places.iter().map(|place| u32::from(*place)), places.len(), width);
    }
}

/// Runs of numbers as they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run<'a> {
    /// So many times this number.
    Same(usize, u32),
    /// So many numbers of so many bits.
    Packed(usize, &'a [u8]),
}

/// The runs of numbers of `width` bits (32 at most); `None` at their end or at what is none.
pub fn next_run<'a>(bytes: &mut Bytes<'a>, width: u32, at_most: usize) -> Option<Run<'a>> {
    let head = bytes.varint()?;
    let count = usize::try_from(head >> 1).ok()?;
    if head & 1 == 0 {
        let mut number = [0; 4];
        let bytes = bytes.take(width.div_ceil(8) as usize)?;
        number.get_mut(..bytes.len())?.copy_from_slice(bytes);
        return Some(Run::Same(count.min(at_most), u32::from_le_bytes(number)));
    }
    let packed = bytes.take(count.checked_mul(width as usize)?)?;
    Some(Run::Packed(count.checked_mul(8)?.min(at_most), packed))
}

/// The numbers of a bit-packed run.
pub fn unpacked(packed: &[u8], width: u32, count: usize) -> impl Iterator<Item = u32> {
    let mut rest = packed.iter();
    let (mut held, mut bits) = (0_u64, 0);
    let mask = (1_u64 << width) - 1;
    (0..count).map(move |_| {
        while bits < width {
            held |= u64::from(rest.next().copied().unwrap_or(0)) << bits;
            bits += 8;
        }
        let number = (held & mask) as u32;
        held >>= width;
        bits -= width;
        number
    })
}

/// Which rows are null: how many come first, when the others have values; else one truth per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nulls {
    /// The first rows, so many.
    First(usize),
    /// Whether a row has a value.
    Mixed(Vec<bool>),
}

/// Reads the levels in front of a page's values.
pub fn read(bytes: &mut Bytes<'_>, rows: usize) -> Option<Nulls> {
    let length = u32::from_le_bytes(*bytes.take(4)?.first_chunk()?);
    let mut levels = Bytes(bytes.take(usize::try_from(length).ok()?)?);
    let whole = levels;
    let first = next_run(&mut levels, 1, rows);
    match first {
        None if rows == 0 => return Some(Nulls::First(0)),
        Some(Run::Same(count, 1)) if count == rows => return Some(Nulls::First(0)),
        Some(Run::Same(count, 0)) if count == rows => return Some(Nulls::First(count)),
        Some(Run::Same(nulls, 0)) => {
            if let Some(Run::Same(count, 1)) = next_run(&mut levels, 1, rows - nulls)
                && count == rows - nulls
            {
                return Some(Nulls::First(nulls));
            }
        }
        _ => {}
    }
    let mut levels = whole;
    let mut has_value = Vec::with_capacity(rows);
    while has_value.len() < rows {
        match next_run(&mut levels, 1, rows - has_value.len())? {
            Run::Same(0, _) | Run::Packed(0, _) => {}
            Run::Same(count, level) => has_value.resize(has_value.len() + count, level != 0),
            Run::Packed(count, packed) => has_value.extend(unpacked(packed, 1, count).map(|level| level != 0)),
        }
    }
    Some(Nulls::Mixed(has_value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(values: &[f64]) -> Vec<bool> {
        let mut bytes = Vec::new();
        put(&mut bytes, values, f64::is_nan);
        bytes.extend([9, 9]);
        let mut rest = Bytes(&bytes);
        let nulls = read(&mut rest, values.len()).expect("levels");
        assert_eq!(rest.0, [9, 9]);
        match nulls {
            Nulls::First(nulls) => (0..values.len()).map(|row| row >= nulls).collect(),
            Nulls::Mixed(has_value) => has_value,
        }
    }

    #[test]
    fn nulls_come_back_wherever_they_are() {
        let of = |is_null: &dyn Fn(usize) -> bool, rows: usize| -> Vec<f64> {
            (0..rows).map(|row| if is_null(row) { f64::NAN } else { 1.0 }).collect()
        };
        for rows in [0, 1, 7, 8, 9, 300] {
            for values in [
                of(&|_| false, rows),
                of(&|_| true, rows),
                of(&|row| row < 5, rows),
                of(&|row| row % 2 == 0, rows),
                of(&|row| row % 100 == 50, rows),
                of(&|row| row + 1 == rows, rows),
            ] {
                assert_eq!(back(&values), values.iter().map(|value| !value.is_nan()).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn packed_numbers_come_back() {
        for width in 1..=8 {
            let numbers: Vec<u32> = (0..100).map(|number| (number * 37) % (1 << width)).collect();
            let mut bytes = Vec::new();
            put_packed(&mut bytes, numbers.iter().copied(), numbers.len(), width);
            let mut rest = Bytes(&bytes);
            let Some(Run::Packed(count, packed)) = next_run(&mut rest, width, numbers.len()) else { panic!("packed") };
            assert_eq!((count, rest.0.len()), (numbers.len(), 0));
            assert_eq!(unpacked(packed, width, count).collect::<Vec<_>>(), numbers);
        }
    }
}
