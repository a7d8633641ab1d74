//! Rows by `COPY … TO STDOUT (FORMAT binary)`, which a server sends faster than the answer to a statement.
//!
//! COPY takes no parameters, so what is asked for is written into the statement; quoting is done here and nowhere else. Contract: the
//! rows are those of the statement, in its order; where COPY cannot be used nothing was delivered yet, and the statement is to be
//! tried: the faster way is never the reason of an error.

use super::collect::Collector;
use super::error::{SourceError, SourceErrorKind};
use super::postgres::{PostgresServer, bars_query, bound_type, send_all, where_with};
use super::postgres_rows::{Fields, Malformed, RowReader};
use super::server::{self, in_time, next_in_time};
use super::table::TablePlan;
use super::time_value::Bound;
use super::timing::Outlet;
use crate::market::Symbol;
use sqlx::PgConnection;

/// How a COPY ended, if not with an error.
pub(super) enum Copied {
    /// All rows came.
    All,
    /// Nobody listens any more.
    Unwanted,
    /// COPY cannot be used here; no row was taken. The connection is not to be used again.
    Refused(SourceError),
}

impl PostgresServer {
    /// Reads the rows of a COPY and sends each symbol as soon as it is complete.
    pub(super) async fn copy(
        &self,
        sql: &str,
        connection: &mut PgConnection,
        reader: &mut RowReader,
        collector: &mut Collector,
        out: &Outlet,
    ) -> Result<Copied, SourceError> {
        let doing = "reading bars";
        let malformed = |error: Malformed| server::query_failed(self.url(), doing, &error.to_string());
        let begun = in_time(self.query_timeout(), doing, self.url(), connection.copy_out_raw(sql)).await?;
        let mut chunks = match begun {
            Ok(chunks) => chunks,
            Err(error) => return self.refused(&error, doing),
        };
        let mut stream = CopyStream::new(reader.fields());
        while let Some(chunk) = next_in_time(&mut chunks, self.query_timeout(), self.url()).await? {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) if !stream.has_rows() => return self.refused(&error, doing),
                Err(error) => return Err(self.explain(&error, doing)),
            };
            match stream.read(&chunk, &mut |fields| reader.push(fields, collector)) {
                Ok(()) => {}
                Err(error) if !stream.has_rows() => return Ok(Copied::Refused(malformed(error))),
                Err(error) => return Err(malformed(error)),
            }
            if stream.has_rows() {
                out.row_came();
            }
            if collector.has_ready() && !send_all(collector.take_ready(), out).await {
                return Ok(Copied::Unwanted);
            }
        }
        if stream.is_over() {
            Ok(Copied::All)
        } else if stream.has_rows() {
            Err(malformed(Malformed))
        } else {
            Ok(Copied::Refused(malformed(Malformed)))
        }
    }

    /// An error before the first row: the statement may do better, even where the connection broke, as some proxies end one that
    /// asks for a COPY. What takes too long would take as long again.
    fn refused(&self, error: &sqlx::Error, doing: &str) -> Result<Copied, SourceError> {
        let explained = self.explain(error, doing);
        if explained.kind() == SourceErrorKind::Timeout { Err(explained) } else { Ok(Copied::Refused(explained)) }
    }
}

/// `COPY (SELECT symbol, date, numbers… WHERE symbol = ANY(…) … ORDER BY symbol, date) TO STDOUT (FORMAT binary)`
pub(super) fn copy_query(plan: &TablePlan, symbols: &[Symbol], start: Option<&Bound>, end: Option<&Bound>) -> String {
    let asked = if plan.symbol_is_number {
        let numbers = symbols.iter().filter_map(|symbol| symbol.as_str().parse::<i64>().ok());
        // A minus in front of the smallest number would be read before the number, which is then too great.
        format!("ARRAY[{}]::int8[]", numbers.map(|number| format!("'{number}'")).collect::<Vec<_>>().join(","))
    } else {
        // A text with a zero byte is a symbol PostgreSQL cannot hold, and an error if asked for.
        let names = symbols.iter().map(Symbol::as_str).filter(|symbol| !symbol.contains('\0'));
        format!("ARRAY[{}]::text[]", names.map(literal).collect::<Vec<_>>().join(","))
    };
    let limit = |bound: &Bound| {
        let text = match bound {
            Bound::Date(day) => day.to_string(),
            Bound::DateTime(time) => time.to_string(),
            Bound::Text(text) => text.clone(),
            Bound::Number(number) => number.to_string(),
        };
        format!("{}{}", literal(&text), bound_type(plan.dates))
    };
    let limits = where_with(plan, &asked, start.map(limit).as_deref(), end.map(limit).as_deref());
    format!("COPY ({}) TO STDOUT (FORMAT binary)", bars_query(plan, &limits))
}

/// A text as a literal that means the same whatever `standard_conforming_strings` is: with a backslash in it, it says so itself.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Takes a COPY's bytes apart, wherever they are cut.
struct CopyStream {
    fields: usize,
    /// What was left of the last chunk: a row that goes on in the next.
    left: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The header is still to come.
    Header,
    /// Nothing but the header came.
    Empty,
    Rows,
    /// The mark behind the last row came.
    Over {
        had_rows: bool,
    },
}

/// What stands at the beginning of some bytes.
enum Part<'bytes> {
    Header,
    Row(Fields<'bytes>),
    End,
    /// Something that goes on in the next chunk.
    Cut,
}

impl CopyStream {
    fn new(fields: usize) -> Self {
        Self { fields, left: Vec::new(), state: State::Header }
    }

    /// Whether there were any rows.
    fn has_rows(&self) -> bool {
        matches!(self.state, State::Rows | State::Over { had_rows: true })
    }

    /// Whether the end was seen.
    fn is_over(&self) -> bool {
        matches!(self.state, State::Over { .. })
    }

    /// Reads a chunk and gives every row that is whole to `each`.
    fn read(&mut self, chunk: &[u8], each: &mut dyn FnMut(&Fields<'_>) -> Result<(), Malformed>) -> Result<(), Malformed> {
        if self.left.is_empty() {
            // As a rule: servers send every row in a chunk of its own.
            let rest = self.read_parts(chunk, each)?;
            self.left.extend_from_slice(rest);
        } else {
            let mut bytes = std::mem::take(&mut self.left);
            bytes.extend_from_slice(chunk);
            let rest = self.read_parts(&bytes, each)?.len();
            bytes.drain(..bytes.len() - rest);
            self.left = bytes;
        }
        Ok(())
    }

    /// Reads what is whole and gives back the rest.
    fn read_parts<'bytes>(
        &mut self,
        mut bytes: &'bytes [u8],
        each: &mut dyn FnMut(&Fields<'_>) -> Result<(), Malformed>,
    ) -> Result<&'bytes [u8], Malformed> {
        while !bytes.is_empty() {
            let mut rest = bytes;
            let part = match self.state {
                State::Header => header(&mut rest)?,
                State::Empty | State::Rows => row(&mut rest, self.fields)?,
                State::Over { .. } => return Err(Malformed),
            };
            match part {
                Part::Header => self.state = State::Empty,
                Part::Row(fields) => {
                    self.state = State::Rows;
                    each(&fields)?;
                }
                Part::End => self.state = State::Over { had_rows: self.state == State::Rows },
                Part::Cut => return Ok(bytes),
            }
            bytes = rest;
        }
        Ok(bytes)
    }
}

/// The signature, flags, and an extension of a length of its own.
fn header(bytes: &mut &[u8]) -> Result<Part<'static>, Malformed> {
    const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
    if !bytes.iter().zip(SIGNATURE).all(|(byte, expected)| byte == expected) {
        return Err(Malformed);
    }
    if take(bytes, SIGNATURE.len()).is_none() {
        return Ok(Part::Cut);
    }
    let (Some(flags), Some(extension)) = (int4(bytes), int4(bytes)) else { return Ok(Part::Cut) };
    // The upper flags say that the rows cannot be read by whoever does not know what they mean.
    if flags >> 16 != 0 {
        return Err(Malformed);
    }
    let extension = usize::try_from(extension).map_err(|_| Malformed)?;
    Ok(take(bytes, extension).map_or(Part::Cut, |_| Part::Header))
}

#[inline]
fn row<'bytes>(bytes: &mut &'bytes [u8], expected: usize) -> Result<Part<'bytes>, Malformed> {
    let Some(count) = take(bytes, 2).and_then(|count| count.try_into().ok()).map(i16::from_be_bytes) else { return Ok(Part::Cut) };
    if count == -1 {
        return Ok(Part::End);
    }
    let mut fields = Fields::default();
    if usize::try_from(count) != Ok(expected) || expected > fields.len() {
        return Err(Malformed);
    }
    for field in fields.iter_mut().take(expected) {
        match int4(bytes) {
            None => return Ok(Part::Cut),
            Some(-1) => {}
            Some(length) => match take(bytes, usize::try_from(length).map_err(|_| Malformed)?) {
                None => return Ok(Part::Cut),
                value => *field = value,
            },
        }
    }
    Ok(Part::Row(fields))
}

#[inline]
fn take<'bytes>(bytes: &mut &'bytes [u8], length: usize) -> Option<&'bytes [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

#[inline]
fn int4(bytes: &mut &[u8]) -> Option<i32> {
    let (taken, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(i32::from_be_bytes(*taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

    fn stream(rows: &[&[Option<&[u8]>]]) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        for row in rows {
            bytes.extend(i16::try_from(row.len()).expect("few").to_be_bytes());
            for value in *row {
                match value {
                    None => bytes.extend((-1_i32).to_be_bytes()),
                    Some(value) => {
                        bytes.extend(i32::try_from(value.len()).expect("short").to_be_bytes());
                        bytes.extend(*value);
                    }
                }
            }
        }
        bytes.extend((-1_i16).to_be_bytes());
        bytes
    }

    fn read(chunks: &[&[u8]], fields: usize) -> Result<Vec<Vec<Option<Vec<u8>>>>, Malformed> {
        let mut copy = CopyStream::new(fields);
        let mut rows = Vec::new();
        for chunk in chunks {
            copy.read(chunk, &mut |row| {
                rows.push(row.iter().take(fields).map(|value| value.map(<[u8]>::to_vec)).collect());
                Ok(())
            })?;
        }
        assert_eq!((copy.has_rows(), copy.is_over()), (!rows.is_empty(), true));
        Ok(rows)
    }

    #[test]
    fn rows_come_whole_wherever_they_are_cut() {
        let bytes = stream(&[&[Some(b"A"), None, Some(b"")], &[Some(b"longer than one"), Some(b"12345678"), None]]);
        let whole = read(&[&bytes], 3).expect("rows");
        assert_eq!(whole.len(), 2);
        assert_eq!(whole[0], [Some(b"A".to_vec()), None, Some(Vec::new())]);
        for first in 0..bytes.len() {
            for second in first..bytes.len() {
                let chunks = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(read(&chunks, 3).expect("rows"), whole, "cut at {first} and {second}");
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single, 3).expect("rows"), whole);
        assert_eq!(read(&[&stream(&[])], 3).expect("no rows"), Vec::<Vec<Option<Vec<u8>>>>::new());
    }

    #[test]
    fn what_is_no_copy_is_an_error() {
        let good = stream(&[&[Some(b"A"), None]]);
        for (what, bytes) in [
            ("another number of values", stream(&[&[Some(b"A")]])),
            ("text", b"A\t2024-03-01\n".to_vec()),
            ("flags nobody knows", [&HEADER[..11], &[0, 1, 0, 0], &[0; 4]].concat()),
            ("a negative length", [HEADER, &[0, 2, 0xff, 0xff, 0xff, 0xfe]].concat()),
            ("bytes behind the end", [&good[..], b"more"].concat()),
        ] {
            let mut copy = CopyStream::new(2);
            assert_eq!(copy.read(&bytes, &mut |_| Ok(())), Err(Malformed), "{what}");
        }
    }

    #[test]
    fn literals_mean_what_they_say() {
        assert_eq!(literal("AAPL"), "'AAPL'");
        assert_eq!(literal("x'y"), "'x''y'");
        assert_eq!(literal(r"x\'y"), r"E'x\\''y'");
    }
}
