//! The values that are not null, and which rows they stand in.
//!
//! Not what is computed of them. Contract: every window's values are neighbours here, whatever nulls lie between them, so that
//! "nulls are left out" needs no second arithmetic: a window with nulls is a shorter window of these values. Where a series has
//! nulls only before its first value, as almost all have, nothing is copied.

/// Values without the nulls.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Oldest first.
    pub values: &'a [f64],
    /// The other input of pairs; empty for single values.
    pub others: &'a [f64],
    rows: Rows<'a>,
    /// Rows of the series, those of nulls included.
    len: usize,
}

#[derive(Debug, Clone, Copy)]
enum Rows<'a> {
    /// One after the other, from this row on to the last.
    From(usize),
    /// The row of each value.
    At(&'a [usize]),
}

/// Room for values with nulls between them.
#[derive(Debug, Default)]
pub struct KnownRoom {
    values: Vec<f64>,
    others: Vec<f64>,
    rows: Vec<usize>,
}

/// A window that holds fewer values than it is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Odd {
    /// The row it ends in.
    pub row: usize,
    /// The last of its values.
    pub end: usize,
    /// How many values it has, one at least.
    pub count: usize,
    /// Rows of the window before its first value, which are null.
    pub before: usize,
    /// Rows of the window after its last value, which are null.
    pub after: usize,
    /// Whether there are nulls between its values.
    pub is_broken: bool,
}

/// The position of the first value, if there are no nulls after it; where there are only nulls, their number.
fn only_lead(values: &[f64]) -> Option<usize> {
    let lead = values.iter().position(|value| !value.is_nan()).unwrap_or(values.len());
    // Not `any`, which would look at every value before it goes on to the next.
    let nulls = values.get(lead..).unwrap_or_default().iter().fold(false, |nulls, value| nulls | value.is_nan());
    (!nulls).then_some(lead)
}

impl<'a> Known<'a> {
    /// The values that are not null.
    pub fn of(values: &'a [f64], room: &'a mut KnownRoom) -> Self {
        let len = values.len();
        if let Some(lead) = only_lead(values) {
            return Self { values: values.get(lead..).unwrap_or_default(), others: &[], rows: Rows::From(lead), len };
        }
        room.values.clear();
        room.rows.clear();
        for (row, value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            room.values.push(*value);
            room.rows.push(row);
        }
        Self { values: &room.values, others: &[], rows: Rows::At(&room.rows), len }
    }

    /// The pairs of which neither is null.
    pub fn pairs(x: &'a [f64], y: &'a [f64], room: &'a mut KnownRoom) -> Self {
        let len = x.len().min(y.len());
        let (x, y) = (x.get(..len).unwrap_or_default(), y.get(..len).unwrap_or_default());
        if let (Some(x_lead), Some(y_lead)) = (only_lead(x), only_lead(y)) {
            let lead = x_lead.max(y_lead);
            let known = |values: &'a [f64]| values.get(lead..).unwrap_or_default();
            return Self { values: known(x), others: known(y), rows: Rows::From(lead), len };
        }
        room.values.clear();
        room.others.clear();
        room.rows.clear();
        for (row, (x, y)) in x.iter().zip(y).enumerate().filter(|(_, (x, y))| !x.is_nan() && !y.is_nan()) {
            room.values.push(*x);
            room.others.push(*y);
            room.rows.push(row);
        }
        Self { values: &room.values, others: &room.others, rows: Rows::At(&room.rows), len }
    }

    /// Rows of the series.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where windows end up in an output: the value at this place plus the place of the window's last value. Nulls between
    /// values are made room for by [`spread`](Self::spread) afterwards.
    pub fn lead(&self) -> usize {
        match self.rows {
            Rows::From(lead) => lead,
            Rows::At(_) => 0,
        }
    }

    /// The row of the value at this place.
    fn row(&self, place: usize) -> usize {
        match self.rows {
            Rows::From(lead) => lead + place,
            Rows::At(rows) => rows.get(place).copied().unwrap_or(usize::MAX),
        }
    }

    /// Position in an odd window, counted from 1, of the value at this place.
    pub fn position(&self, place: usize, odd: &Odd) -> f64 {
        let oldest = self.row(odd.end + 1 - odd.count);
        (self.row(place) + odd.before + 1).saturating_sub(oldest) as f64
    }

    /// Rows from the first to the last value of an odd window.
    pub fn span(&self, odd: &Odd) -> usize {
        self.row(odd.end) + 1 - self.row(odd.end + 1 - odd.count)
    }

    /// The values' rows as numbers, to be regressed on.
    pub fn row_numbers(&self, numbers: &mut Vec<f64>) {
        numbers.clear();
        numbers.extend((0..self.values.len()).map(|place| self.row(place) as f64));
    }

    /// Whether there are nulls between or after values.
    pub fn has_gaps(&self) -> bool {
        matches!(self.rows, Rows::At(_))
    }

    /// Takes an output that holds, from [`lead`](Self::lead) on, the value of the window that ends with each known value, and
    /// moves these to the windows' rows. Rows whose window is not full or not without nulls become null.
    pub fn spread(&self, window: usize, output: &mut [f64]) {
        match self.rows {
            Rows::From(lead) => {
                let first = lead.saturating_add(window).saturating_sub(1).min(output.len());
                output.get_mut(..first).unwrap_or_default().fill(f64::NAN);
            }
            Rows::At(rows) => {
                // From the end: a value never moves towards the start, so that none is overwritten before it has moved.
                let mut left = rows.len();
                for row in (0..output.len()).rev() {
                    let is_known = left.checked_sub(1).and_then(|place| rows.get(place)) == Some(&row);
                    let mut value = f64::NAN;
                    if is_known {
                        left -= 1;
                        let is_full =
                            (left + 1).checked_sub(window).and_then(|first| rows.get(first)).is_some_and(|first| row - first < window);
                        value = output.get(left).copied().filter(|_| is_full).unwrap_or(f64::NAN);
                    }
                    if let Some(output) = output.get_mut(row) {
                        *output = value;
                    }
                }
            }
        }
    }

    /// All windows that hold fewer values than they are long, but one at least, in the order of their rows. Those before row
    /// `window − 1` are left out unless the series starts with these rows.
    pub fn odd_windows(&self, window: usize, at_start: bool, odd: &mut Vec<Odd>) {
        odd.clear();
        let first_row = if at_start { 0 } else { window.saturating_sub(1) };
        match self.rows {
            Rows::From(lead) => {
                for row in first_row.max(lead)..lead.saturating_add(window).saturating_sub(1).min(self.len) {
                    let end = row - lead;
                    let before = lead.saturating_sub((row + 1).saturating_sub(window));
                    odd.push(Odd { row, end, count: end + 1, before, after: 0, is_broken: false });
                }
            }
            Rows::At(rows) => {
                let (mut first, mut past) = (0, 0);
                for row in 0..self.len {
                    let start = (row + 1).saturating_sub(window);
                    while rows.get(past).is_some_and(|known| *known <= row) {
                        past += 1;
                    }
                    while rows.get(first).is_some_and(|known| *known < start) {
                        first += 1;
                    }
                    let count = past.saturating_sub(first);
                    if row < first_row || count == 0 || count == window {
                        continue;
                    }
                    let end = past - 1;
                    let (oldest, newest) = (self.row(first), self.row(end));
                    let is_broken = newest - oldest + 1 != count;
                    odd.push(Odd { row, end, count, before: oldest - start, after: row - newest, is_broken });
                }
            }
        }
    }
}
