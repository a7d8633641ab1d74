//! A hand at the desk whose every movement is timed, frame by frame.

use crate::desk::Desk;
use crate::thread_time::Watch;
use eframe::egui;
use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, TouchPhase, vec2};
use egui_kittest::kittest::NodeT;
use samovar::app::{Action, Command, ListAction};
use samovar::market::Symbol;
use std::time::{Duration, Instant};

/// Frames that are drawn after an input: what it brings comes with the second, and moves into place until the last.
const AFTER: usize = 3;
/// Longest wait for anything; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A user at the desk whose every movement is timed.
pub struct Hand<'desk> {
    pub desk: &'desk mut Desk,
    pub watch: Watch,
    /// What is worked in, for the figures.
    place: String,
}

impl<'desk> Hand<'desk> {
    pub fn at(desk: &'desk mut Desk) -> Self {
        Self { desk, watch: Watch::new(), place: "start".to_owned() }
    }

    pub fn is_in(&mut self, place: &str) {
        place.clone_into(&mut self.place);
    }

    /// One movement, drawn until it is in place; every frame is timed by itself.
    pub fn does(&mut self, what: &str, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.desk.harness.event(event);
            self.frame(what);
        }
        for _ in 0..AFTER {
            self.frame(what);
        }
    }

    fn frame(&mut self, what: &str) {
        let harness = &mut self.desk.harness;
        self.watch.time(&self.place, what, || harness.step());
    }

    pub fn key(&mut self, what: &str, modifiers: Modifiers, key: Key) {
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        self.desk.harness.event(Event::ModifiersChanged(modifiers));
        self.does(what, [event(true), event(false), Event::ModifiersChanged(Modifiers::NONE)]);
    }

    pub fn plain(&mut self, what: &str, key: Key) {
        self.key(what, Modifiers::NONE, key);
    }

    pub fn types(&mut self, what: &str, text: &str) {
        self.does(what, text.chars().map(|char| Event::Text(char.to_string())));
    }

    pub fn runs(&mut self, command: Command) {
        self.act(command.text(), Action::Run(command));
    }

    /// What a menu or the palette asks for.
    pub fn act(&mut self, what: &str, action: Action) {
        let harness = &mut self.desk.harness;
        self.watch.time(&self.place, what, || harness.state_mut().act(action));
        self.does(what, []);
    }

    pub fn selects(&mut self, symbol: &str) {
        self.act("select a row", Action::List(ListAction::SelectOnly(Symbol::new(symbol))));
    }

    fn button(pos: Pos2, pressed: bool) -> Event {
        Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE }
    }

    pub fn clicks_at(&mut self, what: &str, pos: Pos2) {
        self.does(what, [Event::PointerMoved(pos), Self::button(pos, true), Self::button(pos, false)]);
    }

    /// Clicks what has these words, wherever it is.
    #[track_caller]
    pub fn clicks(&mut self, label: &str) {
        let spot = self.spot(label).unwrap_or_else(|| panic!("{label:?} is not in {}", self.place));
        self.clicks_at(label, spot);
    }

    fn spot(&self, label: &str) -> Option<Pos2> {
        let root = self.desk.harness.root();
        let found = root.children_recursive().find(|node| {
            let node = node.accesskit_node();
            (node.label().as_deref() == Some(label) || node.value().as_deref() == Some(label)) && !node.is_hidden()
        });
        found.map(|node| node.rect().center())
    }

    pub fn scrolls(&mut self, what: &str, pos: Pos2) {
        let wheel = |lines: f32| Event::MouseWheel {
            unit: MouseWheelUnit::Line,
            delta: vec2(0.0, lines),
            phase: TouchPhase::Move,
            source: MouseWheelSource::Wheel,
            modifiers: Modifiers::NONE,
        };
        self.does(what, [Event::PointerMoved(pos), wheel(-3.0), wheel(-3.0), wheel(6.0)]);
    }

    pub fn drags(&mut self, what: &str, from: Pos2, to: Pos2) {
        let path = (1..=6).map(|step| Event::PointerMoved(from + (to - from) * (step as f32 / 6.0)));
        let began = [Event::PointerMoved(from), Self::button(from, true)];
        self.does(what, began.into_iter().chain(path).chain([Self::button(to, false)]));
    }

    /// Draws until something holds; these frames are timed as well.
    pub fn waits(&mut self, what: &str, done: impl Fn(&Desk) -> bool) {
        let began = Instant::now();
        while !done(self.desk) {
            self.frame(what);
            assert!(began.elapsed() < PATIENCE, "waited for {what} in vain; {}", self.desk.story());
            std::thread::sleep(Duration::from_millis(4));
        }
    }

    #[track_caller]
    pub fn never_waited(&self) {
        eprintln!("{}", self.watch.table());
        let faults = self.watch.faults();
        assert!(faults.is_empty(), "{} of {} frames:\n{}", faults.len(), self.watch.frames.len(), faults.join("\n"));
    }
}
