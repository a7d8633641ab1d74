//! How a line looks once conventions, values and the user's choices are put together.
//!
//! Not where it is drawn. Contract: the user's choice comes first, then the name's convention, then what the values are.

use crate::app::chart::{LineWidth, SeriesLayout, SeriesStyle, conventions};
use crate::ui::theme::Theme;
use crate::worker::series::{SeriesFigures, ValueKind};
use eframe::egui::Color32;

/// What values become on the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mark {
    Line,
    Step,
    Area,
    Dots,
    /// Columns from zero: above it, and below it.
    Columns([Color32; 2]),
    /// Columns without room between them: when something holds.
    Truths(Color32),
    /// Arrows at the bars themselves, for what is above zero and for what is below: over prices, whose scale it does not have.
    Signs([Color32; 2]),
}

/// What a line is drawn as.
pub(super) fn mark_of(line: &SeriesLayout, figures: Option<&SeriesFigures>, is_over_price: bool, theme: &Theme) -> Mark {
    let kind = figures.map(|figures| figures.kind).unwrap_or_default();
    let color = color_of(line, theme);
    match line.style {
        Some(SeriesStyle::Line) => return Mark::Line,
        Some(SeriesStyle::Step) => return Mark::Step,
        Some(SeriesStyle::Area) => return Mark::Area,
        Some(SeriesStyle::Dots) => return Mark::Dots,
        None if kind == ValueKind::Pattern && is_over_price && line.by_sign => return Mark::Signs([theme.gain, theme.loss]),
        None if kind != ValueKind::Number && is_over_price => return Mark::Signs([color; 2]),
        None if kind == ValueKind::Number && !conventions::is_histogram(&line.source) => return Mark::Line,
        None if kind == ValueKind::Truth => return Mark::Truths(color),
        Some(SeriesStyle::Histogram) | None => {}
    }
    // Where all values have one sign, it says nothing.
    let has_both = figures.is_none_or(|figures| figures.min.is_some_and(|min| min < 0.0) && figures.max.is_some_and(|max| max > 0.0));
    let is_signed = has_both || kind == ValueKind::Pattern;
    Mark::Columns(if line.by_sign && is_signed { [theme.volume_gain, theme.volume_loss] } else { [color; 2] })
}

/// The colour of a line.
pub(super) fn color_of(line: &SeriesLayout, theme: &Theme) -> Color32 {
    line.custom_color.map_or_else(|| theme.series_color(line.color), |[red, green, blue]| theme.custom_color(red, green, blue))
}

/// Width of a line, in points.
pub(super) fn points_of(width: LineWidth) -> f32 {
    match width {
        LineWidth::Thin => 1.0,
        LineWidth::Normal => 1.4,
        LineWidth::Thick => 2.2,
        LineWidth::Heavy => 3.4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::PriceColors;
    use crate::worker::series::SeriesSource;

    #[test]
    fn choices_come_before_conventions_and_conventions_before_values() {
        let theme = Theme::pick(true, PriceColors::GreenUp);
        let line = |name: &str| SeriesLayout::new(SeriesSource::column("talib", name));
        let mark = |line: &SeriesLayout, values: &[f64], over: bool| mark_of(line, Some(&SeriesFigures::of(values)), over, theme);
        let signed = Mark::Columns([theme.volume_gain, theme.volume_loss]);
        assert_eq!(mark(&line("rsi14"), &[30.0, 55.0], false), Mark::Line);
        assert_eq!(mark(&line("macd_hist"), &[-1.0, 0.5], false), signed);
        assert_eq!(mark(&line("cdldoji"), &[0.0, 0.0, 100.0], false), signed);
        assert_eq!(mark(&line("cdldoji"), &[0.0, 0.0, 100.0], true), Mark::Signs([theme.gain, theme.loss]));
        assert_eq!(mark(&line("up"), &[0.0, 1.0], false), Mark::Truths(theme.series_color(0)));
        let chosen = SeriesLayout { style: Some(SeriesStyle::Line), ..line("macd_hist") };
        assert_eq!(mark(&chosen, &[-1.0, 0.5], false), Mark::Line);
        let own = SeriesLayout { by_sign: false, ..line("macd_hist") };
        assert_eq!(mark(&own, &[-1.0, 0.5], false), Mark::Columns([theme.series_color(0); 2]));
    }
}
