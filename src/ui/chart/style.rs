//! How a feature is drawn, by its name: line or histogram, guides of its pane, pairs of lines with a fill between.
//!
//! Conventions every chart program shares, in one place. Not where it is drawn ([`super::Placement`]).

/// How a feature's values become marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeriesKind {
    Line,
    /// Columns from zero, coloured by sign.
    Histogram,
}

pub(super) fn kind_of(name: &str) -> SeriesKind {
    if name.to_ascii_lowercase().ends_with("_hist") { SeriesKind::Histogram } else { SeriesKind::Line }
}

/// Values that have a meaning of their own in a pane: overbought, oversold, zero.
pub(super) fn guides_of(pane_id: &str) -> &'static [f64] {
    let id = pane_id.to_ascii_lowercase();
    let starts = |names: &[&str]| names.iter().any(|name| id.starts_with(name));
    if starts(&["rsi"]) {
        &[30.0, 70.0]
    } else if starts(&["kdj", "stoch", "wr", "mfi"]) {
        &[20.0, 80.0]
    } else if starts(&["cci"]) {
        &[-100.0, 100.0]
    } else if starts(&["psy"]) {
        &[25.0, 75.0]
    } else if starts(&["boll_pct_b"]) {
        &[0.0, 1.0]
    } else if starts(&["macd", "roc", "mom", "bias", "pct_change", "log_return", "gap", "ppo", "apo", "volume_change", "aroonosc"]) {
        &[0.0]
    } else {
        &[]
    }
}

/// The name of the lower edge that belongs to an upper edge.
pub(super) fn lower_edge_of(upper: &str) -> Option<String> {
    upper.strip_suffix("_upper").map(|stem| format!("{stem}_lower"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conventions_follow_names() {
        assert_eq!(kind_of("macd_hist"), SeriesKind::Histogram);
        assert_eq!(kind_of("macd_dif"), SeriesKind::Line);
        assert_eq!(guides_of("rsi"), [30.0, 70.0]);
        assert!(guides_of("obv").is_empty());
        assert_eq!(lower_edge_of("boll_upper").as_deref(), Some("boll_lower"));
        assert_eq!(lower_edge_of("boll_mid"), None);
    }
}
