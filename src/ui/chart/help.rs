//! Everything that pointer and keys do on the chart, for the chart's own sheet and for the help of the window.

use crate::tr;
use crate::ui::dialogs::dialog_frame;
use crate::ui::theme::{Theme, space};
use eframe::egui;
use egui::{Grid, Id, Label, Modal, RichText, ScrollArea, TextStyle, Ui, vec2};

/// Gestures and keys, each with what it does, by what they are about.
#[must_use]
pub fn gestures() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    vec![
        (
            tr!("Time"),
            vec![
                (tr!("Wheel, pinch, Ctrl+wheel"), tr!("Zoom at the pointer")),
                (tr!("Drag, Shift+wheel"), tr!("Move in time")),
                (tr!("Double-click"), tr!("Back to the chosen range")),
                (tr!("Left, Right"), tr!("Move in time, when the chart has the keyboard")),
                (tr!("+, −"), tr!("Zoom in, zoom out, when the chart has the keyboard")),
                (tr!("1 to 7, 0"), tr!("The ranges from 1M to All, back to the chosen one; when the chart was reached with Tab")),
                (tr!("Home, End"), tr!("To the first bar, to the last bar")),
                (tr!("Up, Down"), tr!("Previous and next symbol; the chart stays as it is")),
            ],
        ),
        (
            tr!("Scales"),
            vec![
                (tr!("Drag on a value axis"), tr!("Stretch or squeeze its values; the pane can be dragged up and down then")),
                (tr!("Double-click on a value axis"), tr!("Fit it to what is in view again")),
                (tr!("Ctrl+Up, Ctrl+Down"), tr!("Stretch or squeeze prices, when the chart has the keyboard")),
            ],
        ),
        (
            tr!("Panes"),
            vec![
                (tr!("Drag the line between panes"), tr!("Make one higher and the other lower")),
                (tr!("Double-click on a pane's upper edge"), tr!("All the room for the pane, and back")),
                (tr!("Right button"), tr!("Everything that can be done with a pane and the chart")),
            ],
        ),
        (
            tr!("Lines"),
            vec![
                (tr!("Double-click on a name, Enter on it"), tr!("Its settings")),
                (tr!("Alt+click on a name"), tr!("The line alone in its pane, and all of them again")),
                (tr!("Del on a name"), tr!("Take the line off the chart")),
            ],
        ),
        (
            tr!("Measuring"),
            vec![
                (tr!("Shift+drag"), tr!("Difference, percent, bars and time between two places")),
                (tr!("Click, Esc"), tr!("Take it away again")),
            ],
        ),
    ]
}

/// Words in a column of this width; long ones are broken.
fn column_ui(ui: &mut Ui, width: f32, words: RichText) {
    ui.vertical(|ui| {
        ui.set_width(width);
        ui.add(Label::new(words).wrap());
    });
}

/// Draws the sheet while it is open.
pub(super) fn help_ui(ui: &mut Ui, open: &mut bool) {
    if !*open {
        return;
    }
    let theme = Theme::of(ui);
    let response = Modal::new(Id::unique("gestures of the chart")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(640.0);
        ui.label(RichText::new(tr!("Gestures of the chart")).heading());
        ui.add_space(space::S);
        let room = (ui.content_rect().height() - 180.0).max(120.0);
        ScrollArea::vertical().max_height(room).min_scrolled_height(room).auto_shrink([false, true]).show(ui, |ui| {
            // One left edge for what they do, whatever the section.
            let font = TextStyle::Body.resolve(ui.style());
            let wide = |words: &str| ui.painter().layout_no_wrap(words.to_owned(), font.clone(), theme.text).size().x;
            let first = gestures().iter().flat_map(|(_, lines)| lines).map(|(keys, _)| wide(keys)).fold(0.0, f32::max).ceil().min(260.0);
            let second = ui.available_width() - first - space::L - space::M;
            for (heading, gestures) in gestures() {
                ui.label(RichText::new(heading).small().color(theme.text_weak));
                ui.add_space(space::XS);
                Grid::new(("gestures", heading)).num_columns(2).spacing(vec2(space::L, space::XS)).show(ui, |ui| {
                    for (keys, text) in gestures {
                        column_ui(ui, first, RichText::new(keys).color(theme.text));
                        column_ui(ui, second, RichText::new(text).color(theme.text_weak));
                        ui.end_row();
                    }
                });
                ui.add_space(space::M);
            }
        });
        ui.add_space(space::S);
        ui.button(tr!("Close")).clicked()
    });
    if response.inner || response.should_close() {
        *open = false;
    }
}
