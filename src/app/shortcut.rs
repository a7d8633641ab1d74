//! Keys that run commands.
//!
//! Not how a toolkit names keys: the window translates them. Contract: no two commands have the same keys (a test of the commands
//! holds that).

use super::command::Command;
use crate::tr;

/// A key of a shortcut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A letter, digit or sign.
    Char(char),
    /// A function key.
    Function(u8),
    /// Enter.
    Enter,
    /// Delete.
    Delete,
    /// Escape.
    Escape,
    /// The arrow to the left.
    Left,
    /// The arrow to the right.
    Right,
}

/// Keys that run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortcut {
    /// Ctrl (⌘ on a Mac).
    pub ctrl: bool,
    /// Alt.
    pub alt: bool,
    /// Shift.
    pub shift: bool,
    /// The key.
    pub key: Key,
}

impl Shortcut {
    const fn plain(key: Key) -> Self {
        Self { ctrl: false, shift: false, alt: false, key }
    }

    const fn ctrl(key: char) -> Self {
        Self { ctrl: true, ..Self::plain(Key::Char(key)) }
    }

    const fn ctrl_shift(key: char) -> Self {
        Self { ctrl: true, shift: true, ..Self::plain(Key::Char(key)) }
    }

    const fn alt(key: Key) -> Self {
        Self { alt: true, ..Self::plain(key) }
    }
}

impl std::fmt::Display for Shortcut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ctrl = if self.ctrl { "Ctrl+" } else { "" };
        let alt = if self.alt { "Alt+" } else { "" };
        let shift = if self.shift { "Shift+" } else { "" };
        let key = match self.key {
            Key::Char(char) => char.to_uppercase().to_string(),
            Key::Function(number) => format!("F{number}"),
            Key::Enter => "Enter".to_owned(),
            Key::Delete => "Delete".to_owned(),
            Key::Escape => "Esc".to_owned(),
            Key::Left => tr!(in "key", "Left").to_owned(),
            Key::Right => tr!(in "key", "Right").to_owned(),
        };
        formatter.pad(&format!("{ctrl}{alt}{shift}{key}"))
    }
}

impl Command {
    /// Keys that run it.
    #[must_use]
    pub fn shortcut(self) -> Option<Shortcut> {
        let keys = match self {
            Self::PreheatAll => Shortcut::ctrl_shift('P'),
            Self::PreheatSelected => Shortcut { ctrl: true, ..Shortcut::plain(Key::Enter) },
            Self::RefreshSelected => Shortcut::ctrl('R'),
            Self::CheckSource => Shortcut::ctrl_shift('R'),
            Self::InvalidateSelected => Shortcut::ctrl_shift('I'),
            Self::ShowInspector => Shortcut::ctrl('I'),
            Self::ShowFeatures => Shortcut::ctrl('E'),
            Self::SearchFeatures => Shortcut::ctrl_shift('F'),
            Self::NewFormula => Shortcut::ctrl('N'),
            Self::SaveFormula => Shortcut::ctrl('S'),
            Self::ClearSelected => Shortcut::plain(Key::Delete),
            Self::UndoClear => Shortcut::ctrl('Z'),
            Self::CancelJob => Shortcut::ctrl('.'),
            Self::ShowSymbols => Shortcut::ctrl('1'),
            Self::ShowOverview => Shortcut::ctrl('2'),
            Self::ShowJobs => Shortcut::ctrl('3'),
            Self::ShowSettings => Shortcut::ctrl(','),
            Self::FocusFilter => Shortcut::ctrl('F'),
            Self::SelectAll => Shortcut::ctrl('A'),
            Self::ExportRows => Shortcut::ctrl_shift('E'),
            Self::SelectNone => Shortcut::plain(Key::Escape),
            Self::PreviousSymbol => Shortcut::plain(Key::Char('[')),
            Self::NextSymbol => Shortcut::plain(Key::Char(']')),
            Self::CopyRows => Shortcut::ctrl('C'),
            Self::ApplyTemplate => Shortcut::ctrl('T'),
            Self::SaveTemplate => Shortcut::alt(Key::Char('T')),
            Self::ToggleLogScale => Shortcut::alt(Key::Char('L')),
            Self::TogglePercentScale => Shortcut::alt(Key::Char('P')),
            Self::ToggleCalendarTime => Shortcut::alt(Key::Char('D')),
            Self::Indicators => Shortcut::plain(Key::Char('/')),
            Self::Compare => Shortcut::alt(Key::Char('C')),
            Self::GoToDate => Shortcut::alt(Key::Char('G')),
            Self::FitScales => Shortcut::alt(Key::Char('R')),
            Self::Measure => Shortcut::alt(Key::Char('M')),
            Self::NextFinding => Shortcut::plain(Key::Char('N')),
            Self::PreviousFinding => Shortcut { shift: true, ..Shortcut::plain(Key::Char('N')) },
            Self::SaveChartPicture => Shortcut::ctrl_shift('S'),
            Self::CopyChartPicture => Shortcut::alt(Key::Char('S')),
            Self::CopyChartRows => Shortcut::ctrl_shift('D'),
            Self::ChartHelp => Shortcut::plain(Key::Char('?')),
            Self::ToggleTheme => Shortcut::ctrl_shift('T'),
            Self::FindSymbol => Shortcut::ctrl('P'),
            Self::GoBack => Shortcut::alt(Key::Left),
            Self::GoForward => Shortcut::alt(Key::Right),
            Self::ZoomIn => Shortcut::ctrl('+'),
            Self::ZoomOut => Shortcut::ctrl('-'),
            Self::ZoomReset => Shortcut::ctrl('0'),
            Self::Quit => Shortcut::ctrl('Q'),
            Self::Palette => Shortcut::ctrl('K'),
            Self::Help => Shortcut::plain(Key::Function(1)),
            _ => return None,
        };
        Some(keys)
    }

    /// The name under which it is remembered.
    #[must_use]
    pub fn key(self) -> String {
        format!("{self:?}")
    }
}
