//! The least a window can be: eframe as Samovar builds it, of Samovar's size, with one word in it. `benches/start.py` starts it beside
//! Samovar, to tell what the window's libraries and the desktop cost from what Samovar costs.

use eframe::egui;

struct Bare;

impl eframe::App for Bare {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        egui::CentralPanel::default().show(ui, |ui| ui.label("A window"));
    }
}

fn main() -> eframe::Result {
    let viewport = egui::ViewportBuilder::default().with_title("Bare window").with_inner_size([1440.0, 900.0]);
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    eframe::run_native("bare-window", options, Box::new(|_creation| Ok(Box::new(Bare))))
}
