//! Pictures of the chart: asked of the window's painter, cropped to the chart, and handed on.
//!
//! Contract: what follows the pointer is not in a picture; nothing waits for it. A painter that gives no picture is asked once.

use crate::app::Action;
use crate::app::chart::ChartAction;
use crate::tr;
use crate::worker::Picture;
use eframe::egui;
use egui::{ColorImage, Rect, Ui};
use std::sync::{Arc, Mutex, PoisonError};

/// A picture that is on its way.
#[derive(Debug)]
pub(super) struct Taking {
    to_clipboard: bool,
    /// Where the chart was when it was taken, in pixels; nothing before it was asked for.
    area: Option<Rect>,
    taken: Arc<Mutex<Option<Arc<ColorImage>>>>,
}

impl Taking {
    pub(super) fn new(to_clipboard: bool) -> Self {
        Self { to_clipboard, area: None, taken: Arc::default() }
    }

    /// Whether the frame that is drawn now is the one on the picture.
    pub(super) fn is_now(&self) -> bool {
        self.area.is_none()
    }

    /// Asks for the frame that was drawn.
    pub(super) fn ask(&mut self, ui: &Ui, chart: Rect) {
        if !self.is_now() {
            return;
        }
        self.area = Some(chart * ui.pixels_per_point());
        let (taken, ctx) = (Arc::clone(&self.taken), ui.ctx().clone());
        ui.request_screenshot(move |image| {
            *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(image);
            ctx.request_repaint();
        });
    }

    /// What to do with the picture, once it is there.
    pub(super) fn finish(&self, ui: &Ui) -> Option<Action> {
        let image = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let cropped = crop(&image, self.area?);
        if self.to_clipboard {
            ui.copy_image(cropped);
            return Some(Action::Chart(ChartAction::Tell(tr!("The picture of the chart is on the clipboard").to_owned())));
        }
        let [width, height] = cropped.size.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        // Pictures have no see-through pixels: what is behind the window is no part of them.
        let rgba = cropped.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b(), u8::MAX]).collect();
        Some(Action::Chart(ChartAction::PictureTaken(Arc::new(Picture { width, height, rgba }))))
    }
}

/// The part of an image.
fn crop(image: &ColorImage, area: Rect) -> ColorImage {
    let [width, height] = image.size;
    let side = |from: f32, to: f32, most: usize| {
        let from = (from.round().max(0.0) as usize).min(most);
        from..(to.round().max(0.0) as usize).clamp(from, most)
    };
    let (columns, rows) = (side(area.left(), area.right(), width), side(area.top(), area.bottom(), height));
    let size = [columns.len(), rows.len()];
    let line = |row: usize| image.pixels.get(row * width + columns.start..row * width + columns.end).unwrap_or_default();
    ColorImage::new(size, rows.flat_map(line).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Color32, pos2};

    #[test]
    fn a_picture_is_cut_out_and_never_beyond_the_window() {
        let image = ColorImage::from_gray([4, 3], &(0..12).collect::<Vec<u8>>());
        let part = |area: Rect| {
            let cropped = crop(&image, area);
            (cropped.size, cropped.pixels.iter().map(Color32::r).collect::<Vec<_>>())
        };
        assert_eq!(part(Rect::from_min_max(pos2(1.0, 1.0), pos2(3.0, 3.0))), ([2, 2], vec![5, 6, 9, 10]));
        assert_eq!(part(Rect::from_min_max(pos2(3.0, 2.0), pos2(99.0, 99.0))), ([1, 1], vec![11]));
        assert_eq!(part(Rect::from_min_max(pos2(-5.0, -5.0), pos2(1.0, 1.0))), ([1, 1], vec![0]));
        assert_eq!(part(Rect::from_min_max(pos2(50.0, 0.0), pos2(60.0, 1.0))).0, [0, 1]);
    }
}
