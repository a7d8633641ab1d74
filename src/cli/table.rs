//! Text tables: columns as wide as their widest cell, numbers to the right.

/// On which side a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Lays a table out; the first row is the head. Every line ends in a line feed, none in spaces.
pub(super) fn lay_out(sides: &[Side], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> =
        (0..sides.len()).map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, side), widest) in row.iter().zip(sides).zip(&widths) {
            let padding = " ".repeat(widest.saturating_sub(width(cell)));
            match side {
                Side::Left => line.extend([cell.as_str(), &padding, "  "]),
                Side::Right => line.extend([padding.as_str(), cell, "  "]),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How many columns a text takes: East Asian characters take two.
pub(super) fn width(text: &str) -> usize {
    text.chars()
        .map(|letter| match u32::from(letter) {
            0x300..=0x36f => 0,
            0x1100..=0x115f
            | 0x2e80..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0x2_0000..=0x3_fffd => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_under_one_another_whatever_the_script() {
        let rows = [["symbol", "rows"], ["平安", "7"], ["ß", "1200"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(lay_out(&[Side::Left, Side::Right], &rows), "symbol  rows\n平安       7\nß       1200\n");
    }
}
