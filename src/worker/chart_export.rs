//! What leaves the chart: its rows as text with tabs, and its picture as a PNG file.
//!
//! Contract: made on the worker, whatever the number of rows; a picture's file is there whole or not at all; texts use a point for
//! decimals and ISO times in every language, so that spreadsheets and scripts read them.

use super::chart_data::ChartData;
use super::event::{JobEvent, Notice, NoticeLevel};
use super::series::SeriesSource;
use super::service::Service;
use crate::market::format_time;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most rows that are copied: what a spreadsheet can hold, its head left out.
pub const MOST_COPIED_ROWS: usize = 1_048_575;

/// Rows of a chart to be copied.
#[derive(Debug, Clone)]
pub struct CopyRequest {
    /// What is on the chart.
    pub data: Arc<ChartData>,
    /// Which bars.
    pub rows: Range<usize>,
    /// Which lines beside the bars, and what their columns are called.
    pub lines: Vec<(String, SeriesSource)>,
}

/// A picture of the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Red, green, blue and opacity of each pixel, row by row.
    pub rgba: Vec<u8>,
}

/// Tells the rows as text.
pub(super) fn copy(service: &Service, request: &CopyRequest) {
    let end = request.rows.end.min(request.data.bars.len());
    let start = request.rows.start.min(end).max(end.saturating_sub(MOST_COPIED_ROWS));
    let text = rows_text(&request.data, start..end, &request.lines);
    service.reporter.send_blocking(JobEvent::ChartCopied { text, rows: end - start, left_out: start - request.rows.start.min(start) });
}

/// Head and rows, each cell apart from the next by a tab. What is not defined is empty.
#[must_use]
pub fn rows_text(data: &ChartData, rows: Range<usize>, lines: &[(String, SeriesSource)]) -> String {
    let bars = &data.bars;
    let mut columns: Vec<(&str, &[f64])> =
        vec![("open", &bars.open), ("high", &bars.high), ("low", &bars.low), ("close", &bars.close), ("volume", &bars.volume)];
    columns.extend(lines.iter().filter_map(|(name, source)| Some((name.as_str(), data.series(source)?.values))));
    let mut text = String::with_capacity((rows.len() + 1) * (12 + columns.len() * 10));
    text.push_str("time");
    for (name, _) in &columns {
        text.push('\t');
        // A tab or a new line in a name would be another column or row.
        text.extend(name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
    }
    text.push('\n');
    for row in rows {
        let Some(time_us) = bars.time_us.get(row) else { break };
        text.push_str(&format_time(*time_us));
        for (_, values) in &columns {
            text.push('\t');
            if let Some(value) = values.get(row).filter(|value| value.is_finite()) {
                // Writing to a string cannot fail.
                let _written = write!(text, "{value}");
            }
        }
        text.push('\n');
    }
    text
}

/// Writes a picture as a PNG file and tells what came of it.
pub(super) fn save_picture(service: &Service, path: &Path, picture: &Picture) {
    let notice = match write_png(path, picture) {
        Ok(()) => Notice { level: NoticeLevel::Success, text: format!("Saved the picture as {}", path.display()), undo_batch: None },
        Err(error) => Notice {
            level: NoticeLevel::Error,
            text: format!("The picture cannot be saved as {}: {error}", path.display()),
            undo_batch: None,
        },
    };
    service.reporter.send_blocking(JobEvent::Notice(notice));
}

/// Beside its place first, then in it: what was there before stays whole until the new file is.
fn write_png(path: &Path, picture: &Picture) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let file = tempfile::Builder::new().prefix(".samovar-").suffix(".png").tempfile_in(&folder)?;
    {
        let mut out = BufWriter::new(file.as_file());
        let mut encoder = png::Encoder::new(&mut out, picture.width, picture.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&picture.rgba)?;
        writer.finish()?;
        out.flush()?;
    }
    file.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Bars, DAY_US, Symbol};
    use crate::worker::series::{SeriesColumn, SeriesOrigin};

    #[test]
    fn rows_have_a_head_and_nulls_are_empty() {
        let bars = Bars {
            time_us: vec![0, DAY_US],
            open: vec![1.0, 2.0],
            high: vec![1.5, 2.5],
            low: vec![0.5, 1.5],
            close: vec![1.25, 2.25],
            volume: vec![10.0, 1e7],
            ..Bars::default()
        };
        let source = SeriesSource::formula("Mean($close, 2)");
        let column = SeriesColumn::new(vec![f64::NAN, 1.75], SeriesOrigin::Computed);
        let data = ChartData::new(Symbol::new("A"), Arc::new(bars)).with_answers(vec![(source.clone(), Ok(Arc::new(column)))]);
        let text = rows_text(&data, 0..9, &[("mean\t2".to_owned(), source)]);
        assert_eq!(
            text,
            "time\topen\thigh\tlow\tclose\tvolume\tmean 2\n1970-01-01\t1\t1.5\t0.5\t1.25\t10\t\n1970-01-02\t2\t2.5\t1.5\t2.25\t10000000\t1.75\n"
        );
    }

    #[test]
    fn a_picture_is_a_png_file_and_a_missing_folder_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let picture = Picture { width: 2, height: 1, rgba: vec![255, 0, 0, 255, 0, 0, 255, 255] };
        let path = folder.path().join("chart.png");
        write_png(&path, &picture).expect("written");
        let file = std::io::BufReader::new(std::fs::File::open(&path).expect("a file"));
        let mut reader = png::Decoder::new(file).read_info().expect("a picture");
        let mut pixels = vec![0; 8];
        reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!(pixels, picture.rgba);
        assert!(write_png(&folder.path().join("nowhere/chart.png"), &picture).is_err());
    }
}
