//! How a cached file is built, as its footer says: row groups, columns with their encodings, dead bytes, who wrote it.

use super::parts::{collapsing_ui, fact_ui, fact_with_ui};
use crate::cache::FileLayout;
use crate::ui::format;
use crate::ui::theme::{Theme, space};
use crate::ui::widgets::meter_ui;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{RichText, Ui, vec2};

/// Columns shown one by one; of a wide set, the largest.
const COLUMNS: usize = 60;

/// The layout of one file, closed until it is asked for.
pub fn layout_ui(ui: &mut Ui, dataset: &str, layout: &FileLayout) {
    collapsing_ui(ui, &tr!("How {dataset} is stored", dataset = dataset), false, |ui| {
        let groups: Vec<String> = layout.groups.iter().map(|group| format::count(group.rows)).collect();
        let rows = tr_n!(layout.groups.len() as u64, "{count} of {rows} rows", "{count} of {rows} rows", rows = groups.join(" + "));
        fact_ui(ui, tr!("Row groups"), &rows);
        let mut kinds: Vec<&str> = layout.columns.iter().map(|column| column.compression.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        fact_ui(ui, tr!("Compression"), &kinds.join(", "));
        let (stored, plain) =
            layout.columns.iter().fold((0, 0), |(stored, plain), column| (stored + column.stored_bytes, plain + column.plain_bytes));
        if stored > 0 {
            let text = tr!("{plain} in {stored}", plain = format::bytes(plain), stored = format::bytes(stored));
            fact_ui(ui, tr!("Values"), &format!("{text} · {}", format::percent(stored as f64 / plain.max(1) as f64)));
        }
        fact_ui(ui, tr!("Footer"), &format::bytes(layout.footer_bytes));
        let dead = if layout.dead_bytes == 0 { tr!("none").to_owned() } else { dead_words(layout) };
        fact_ui(ui, tr!("Dead bytes"), &dead).on_hover_text(tr!("What appending rows left behind; gone when the file is written anew"));
        fact_ui(ui, tr!("Parquet"), &layout.parquet_version.to_string());
        fact_ui(ui, tr!("Written by"), &layout.created_by);
        for (name, value) in &layout.written_with {
            fact_ui(ui, name, value);
        }
        ui.add_space(space::XS);
        columns_ui(ui, layout);
    });
}

fn dead_words(layout: &FileLayout) -> String {
    let share = layout.dead_bytes as f64 / layout.size_bytes.max(1) as f64;
    format!("{} · {}", format::bytes(layout.dead_bytes), format::percent(share))
}

/// Bytes of each column as bars; type and encodings under the pointer.
fn columns_ui(ui: &mut Ui, layout: &FileLayout) {
    let theme = Theme::of(ui);
    let most = layout.columns.iter().map(|column| column.stored_bytes).max().unwrap_or(1).max(1);
    for column in layout.columns.iter().take(COLUMNS) {
        let hover = format!(
            "{} · {} · {}\n{}",
            column.stored_as,
            column.encodings.join(", "),
            column.compression,
            tr!("{plain} in {stored}", plain = format::bytes(column.plain_bytes), stored = format::bytes(column.stored_bytes))
        );
        let meter = fact_with_ui(ui, &column.name, |ui| {
            ui.allocate_ui(vec2(64.0, 16.0), |ui| {
                ui.set_min_width(64.0);
                ui.label(RichText::new(format::bytes(column.stored_bytes)).color(theme.text));
            });
            meter_ui(ui, 96.0_f32.min(ui.available_width() - space::S).max(10.0), column.stored_bytes as f32 / most as f32, theme.volume)
        });
        meter.on_hover_text(hover);
    }
    if layout.columns.len() > COLUMNS {
        let left = (layout.columns.len() - COLUMNS) as u64;
        ui.label(RichText::new(tr_n!(left, "and {count} column more", "and {count} columns more")).small().color(theme.text_weak));
    }
}
