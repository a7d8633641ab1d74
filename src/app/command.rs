//! The one list of commands: menus, buttons, palette, shortcuts and the help sheet are made from it.

use crate::language::Language;
use crate::tr;
use strum::IntoEnumIterator;

/// What a user can ask for without naming anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Command {
    /// Bring everything that is not fresh to fresh.
    PreheatAll,
    /// Ask the source what changed, about fresh symbols too.
    CheckSource,
    /// Bring the selected symbols to fresh.
    PreheatSelected,
    /// Fetch and compute the selected symbols again.
    RefreshSelected,
    /// Mark the selected symbols as not fresh.
    InvalidateSelected,
    /// Move the selected symbols' files to the trash.
    ClearSelected,
    /// Pin the selected symbols, or unpin them when all are pinned.
    PinSelected,
    /// Move everything that is not fresh to the trash.
    ClearExpired,
    /// Move everything to the trash.
    ClearAll,
    /// Remove what is worth least, so much as is wanted.
    FreeSpace,
    /// Restore what was cleared last.
    UndoClear,
    /// Preheat the symbols again that failed.
    RetryFailed,
    /// Let the running job wait.
    PauseJob,
    /// Let the waiting job go on.
    ResumeJob,
    /// Stop the running job.
    CancelJob,
    /// Check every cached file.
    Verify,
    /// Check every cached file and repair what is damaged.
    Repair,
    /// Use the built-in sample market.
    UseSample,
    /// Connect a database or a folder.
    ConnectSource,
    /// Ask the source for its symbols again.
    ListSymbols,
    /// Read a little from the source and tell what that took.
    ProfileSource,
    /// Measure the cache against reading and computing anew.
    MeasureSpeed,
    /// Show symbols and chart.
    ShowSymbols,
    /// Show the overview.
    ShowOverview,
    /// Show jobs.
    ShowJobs,
    /// Show sources and settings.
    ShowSettings,
    /// Show or hide everything that is known of the symbol.
    ShowInspector,
    /// Show or hide the features panel.
    ShowFeatures,
    /// Put the cursor into the search of the features panel.
    SearchFeatures,
    /// Begin a formula.
    NewFormula,
    /// Save the formula that is being written.
    SaveFormula,
    /// Put the cursor into the filter.
    FocusFilter,
    /// Select every symbol of the list.
    SelectAll,
    /// Select nothing.
    SelectNone,
    /// The symbol above.
    PreviousSymbol,
    /// The symbol below.
    NextSymbol,
    /// Search the symbols alone.
    FindSymbol,
    /// Copy the selected rows.
    CopyRows,
    /// Copy the names of the selected symbols.
    CopySymbols,
    /// Copy the paths of the selected symbols' files.
    CopyPaths,
    /// Show the file of the symbol in the desktop's file manager.
    RevealFile,
    /// Write the list, or bars and features, into files.
    ExportRows,
    /// Make a list of the selected symbols, or of pasted ones.
    NewList,
    /// Show or hide the volumes below the chart.
    ToggleVolume,
    /// Equal ratios of price at equal heights, or equal differences.
    ToggleLogScale,
    /// Change since the first bar in view, or prices.
    TogglePercentScale,
    /// The first bar in view as 100, or prices.
    ToggleIndexedScale,
    /// Bars at their times, or side by side.
    ToggleCalendarTime,
    /// Fit every scale of the chart to what is in view.
    FitScales,
    /// Choose what is drawn.
    Indicators,
    /// Show other symbols beside the one on the chart.
    Compare,
    /// Compare the selected symbols.
    CompareSelected,
    /// Take all compared symbols off the chart.
    StopComparing,
    /// Show the field for a date.
    GoToDate,
    /// Bring the next place that is worth a look into view.
    NextFinding,
    /// Bring the place before that is worth a look into view.
    PreviousFinding,
    /// Measure with the next drag.
    Measure,
    /// Save a picture of the chart.
    SaveChartPicture,
    /// Put a picture of the chart on the clipboard.
    CopyChartPicture,
    /// Put the rows in view on the clipboard.
    CopyChartRows,
    /// Keep the chart for its symbol, or share it again.
    KeepChartForSymbol,
    /// Show what pointer and keys do on the chart.
    ChartHelp,
    /// Give every pane of the chart its room back.
    RestorePanes,
    /// Put a template on the chart.
    ApplyTemplate,
    /// Keep what is on the chart as a template.
    SaveTemplate,
    /// Put the chart back to its default template.
    ResetChart,
    /// To what was looked at before.
    GoBack,
    /// To what was left by going back.
    GoForward,
    /// From light to dark and back.
    ToggleTheme,
    /// Everything larger.
    ZoomIn,
    /// Everything smaller.
    ZoomOut,
    /// Everything as large as usual.
    ZoomReset,
    /// Speak English.
    SpeakEnglish,
    /// Speak Chinese.
    SpeakChinese,
    /// Speak Russian.
    SpeakRussian,
    /// Speak Korean.
    SpeakKorean,
    /// Search all commands and symbols.
    Palette,
    /// Show every shortcut.
    Help,
    /// Put what helps to find a fault into one file.
    SaveDiagnostics,
    /// Show which version this is, and where it keeps things.
    About,
    /// Close the window.
    Quit,
}

/// Under which heading a command is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum CommandGroup {
    /// What is cached.
    Cache,
    /// Running jobs.
    Jobs,
    /// Where bars come from.
    Source,
    /// The list of symbols.
    Symbols,
    /// The chart.
    Chart,
    /// The window.
    View,
}

impl CommandGroup {
    /// The heading.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Cache => tr!("Cache"),
            Self::Jobs => tr!("Jobs"),
            Self::Source => tr!("Source"),
            Self::Symbols => tr!("Symbols"),
            Self::Chart => tr!("Chart"),
            Self::View => tr!("View"),
        }
    }

    /// Its commands.
    pub fn commands(self) -> impl Iterator<Item = Command> {
        Command::iter().filter(move |command| command.group() == self)
    }
}

impl Command {
    /// What buttons and menus say. Ends in "…" when more is asked first.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::PreheatAll => tr!("Preheat all"),
            Self::CheckSource => tr!("Check the source"),
            Self::PreheatSelected => tr!("Preheat"),
            Self::RefreshSelected => tr!("Refresh"),
            Self::InvalidateSelected => tr!("Invalidate"),
            Self::ClearSelected => tr!("Clear…"),
            Self::PinSelected => tr!("Pin"),
            Self::ClearExpired => tr!("Clear expired…"),
            Self::ClearAll => tr!("Clear everything…"),
            Self::FreeSpace => tr!("Free space…"),
            Self::UndoClear => tr!("Undo clear"),
            Self::RetryFailed => tr!("Retry failed"),
            Self::PauseJob => tr!("Pause"),
            Self::ResumeJob => tr!("Resume"),
            Self::CancelJob => tr!("Cancel job"),
            Self::Verify => tr!("Verify files"),
            Self::Repair => tr!("Verify and repair"),
            Self::UseSample => tr!("Try the sample market"),
            Self::ConnectSource => tr!("Connect a database…"),
            Self::ListSymbols => tr!("Reload symbol list"),
            Self::ProfileSource => tr!("Profile the source"),
            Self::MeasureSpeed => tr!("Measure the speed…"),
            Self::ShowSymbols => tr!("Symbols"),
            Self::ShowOverview => tr!("Overview"),
            Self::ShowJobs => tr!("Jobs"),
            Self::ShowSettings => tr!("Settings"),
            Self::ShowInspector => tr!("Show inspector"),
            Self::ShowFeatures => tr!("Show features"),
            Self::SearchFeatures => tr!("Search features"),
            Self::NewFormula => tr!("New formula…"),
            Self::SaveFormula => tr!("Save formula"),
            Self::FocusFilter => tr!("Filter symbols"),
            Self::SelectAll => tr!("Select all"),
            Self::SelectNone => tr!("Select none"),
            Self::PreviousSymbol => tr!("Previous symbol"),
            Self::NextSymbol => tr!("Next symbol"),
            Self::CopyRows => tr!("Copy rows"),
            Self::CopySymbols => tr!("Copy symbol"),
            Self::CopyPaths => tr!("Copy file path"),
            Self::RevealFile => tr!("Show in folder"),
            Self::ExportRows => tr!("Export…"),
            Self::NewList => tr!("New list…"),
            Self::ToggleVolume => tr!("Show or hide volume"),
            Self::ToggleLogScale => tr!("Logarithmic or linear price scale"),
            Self::TogglePercentScale => tr!("Percent price scale"),
            Self::ToggleIndexedScale => tr!("Price scale indexed to 100"),
            Self::ToggleCalendarTime => tr!("Calendar time"),
            Self::FitScales => tr!("Fit the scales"),
            Self::Indicators => tr!("Indicators…"),
            Self::Compare => tr!("Compare…"),
            Self::CompareSelected => tr!("Compare on the chart"),
            Self::StopComparing => tr!("Stop comparing"),
            Self::GoToDate => tr!("Go to date…"),
            Self::NextFinding => tr!("Next gap or finding"),
            Self::PreviousFinding => tr!("Previous gap or finding"),
            Self::Measure => tr!("Measure"),
            Self::SaveChartPicture => tr!("Save the chart as a picture…"),
            Self::CopyChartPicture => tr!("Copy the chart as a picture"),
            Self::CopyChartRows => tr!("Copy the rows of the chart"),
            Self::KeepChartForSymbol => tr!("Keep this chart for its symbol, or share it"),
            Self::ChartHelp => tr!("Gestures of the chart"),
            Self::RestorePanes => tr!("Show all panes"),
            Self::ApplyTemplate => tr!("Apply a chart template…"),
            Self::SaveTemplate => tr!("Save the chart as a template…"),
            Self::ResetChart => tr!("Reset the chart"),
            Self::ToggleTheme => tr!("Switch between light and dark"),
            Self::SpeakEnglish => tr!("Language: English"),
            Self::SpeakChinese => tr!("Language: Chinese"),
            Self::SpeakRussian => tr!("Language: Russian"),
            Self::SpeakKorean => tr!("Language: Korean"),
            Self::Palette => tr!("Search commands and symbols…"),
            Self::Help => tr!("Keyboard shortcuts"),
            Self::FindSymbol => tr!("Go to a symbol…"),
            Self::GoBack => tr!("Back"),
            Self::GoForward => tr!("Forward"),
            Self::ZoomIn => tr!("Zoom in"),
            Self::ZoomOut => tr!("Zoom out"),
            Self::ZoomReset => tr!("Actual size"),
            Self::SaveDiagnostics => tr!("Save diagnostics…"),
            Self::About => tr!("About Samovar"),
            Self::Quit => tr!("Quit"),
        }
    }

    /// What it does, in one sentence.
    #[must_use]
    pub fn tooltip(self) -> &'static str {
        match self {
            Self::PreheatAll => tr!("Bring every symbol that is not fresh to fresh"),
            Self::CheckSource => tr!("Ask the source what changed, about fresh symbols too; only what changed is fetched"),
            Self::PreheatSelected => tr!("Bring the selected symbols to fresh; fresh ones are left alone"),
            Self::RefreshSelected => tr!("Fetch and compute the selected symbols again, whatever their state"),
            Self::InvalidateSelected => tr!("Mark the selected symbols as not fresh; their files stay"),
            Self::ClearSelected => tr!("Move the selected symbols' files to the trash, restorable for 24 hours"),
            Self::PinSelected => tr!("Pinned symbols never expire and are never evicted; again to unpin"),
            Self::ClearExpired => tr!("Move everything that is not fresh to the trash"),
            Self::ClearAll => tr!("Move every cached file of this source to the trash"),
            Self::FreeSpace => tr!("Say how much; what is worth least goes, after you have seen what that is"),
            Self::UndoClear => tr!("Restore what was cleared last"),
            Self::RetryFailed => tr!("Preheat the symbols again that failed"),
            Self::PauseJob => tr!("Let the running job wait; what is under way is finished first"),
            Self::ResumeJob => tr!("Let the waiting job go on"),
            Self::CancelJob => tr!("Stop the running job; finished symbols stay"),
            Self::Verify => tr!("Check every cached file against its checksum"),
            Self::Repair => tr!("Check every cached file; damaged ones are quarantined and fetched again"),
            Self::UseSample => tr!("About 300 invented symbols with three years of daily bars, made on this machine"),
            Self::ConnectSource => tr!("MySQL, MariaDB, PostgreSQL, SQLite, or a folder of CSV or Parquet files"),
            Self::ListSymbols => tr!("Ask the source which symbols it has now"),
            Self::MeasureSpeed => tr!("How long your symbols take straight from the source, from disk and from memory"),
            Self::ProfileSource => tr!("Read a few symbols, and tell what each query took and how the database goes about it"),
            Self::ShowSymbols => tr!("The list of symbols and the chart"),
            Self::ShowOverview => tr!("Size, states, expiry and hit rate of the cache"),
            Self::ShowJobs => tr!("Running and past jobs"),
            Self::ShowSettings => tr!("Sources, folders, time to live, budgets and theme"),
            Self::ShowInspector => {
                tr!("Why the symbol is in its state, what changed at the source, its files and lookups; again to hide it")
            }
            Self::ShowFeatures => tr!("Every feature and function, own formulas and sets; again to hide them"),
            Self::SearchFeatures => tr!("Find a feature by name, description or formula"),
            Self::NewFormula => tr!("Write a feature of your own and see it on the chart while you type"),
            Self::SaveFormula => tr!("Save the formula to its set, after telling what becomes outdated"),
            Self::FocusFilter => tr!("Type to narrow the list"),
            Self::SelectAll => tr!("Select every symbol that the filter shows"),
            Self::SelectNone => tr!("Give up the selection"),
            Self::PreviousSymbol => tr!("The chart follows"),
            Self::NextSymbol => tr!("The chart follows"),
            Self::CopyRows => tr!("Copy the selected rows as text with tabs and a head, for a spreadsheet"),
            Self::CopySymbols => tr!("Copy the names of the selected symbols"),
            Self::CopyPaths => tr!("Copy where the bars of the selected symbols lie"),
            Self::RevealFile => tr!("Show the symbol's file of bars in the file manager"),
            Self::ExportRows => tr!("Write what is shown, or bars and features, as CSV, TSV or Parquet"),
            Self::NewList => tr!("Keep the selected symbols, or pasted ones, as a list"),
            Self::ToggleVolume => tr!("Columns of volume below the prices"),
            Self::ToggleLogScale => tr!("Equal ratios of price at equal heights, or equal differences"),
            Self::TogglePercentScale => tr!("Change since the first bar in view, or prices; lines of any size can be compared"),
            Self::ToggleIndexedScale => tr!("The first bar in view is 100, or prices"),
            Self::ToggleCalendarTime => {
                tr!("Weekends, nights and missing sessions take the room they took; again to set the bars side by side")
            }
            Self::FitScales => tr!("After heights were dragged: show everything that is in view again"),
            Self::Indicators => tr!("Type a name with its parameters, such as rsi 6 or macd 8 21 5, or a formula"),
            Self::Compare => tr!("Show other symbols as lines beside this one"),
            Self::CompareSelected => tr!("Show the selected symbols beside each other, in percent"),
            Self::StopComparing => tr!("Take all compared symbols off the chart"),
            Self::GoToDate => tr!("A year, a month, a day, or so long ago"),
            Self::NextFinding => tr!("To the right: sessions without a bar, and bars with prices that cannot be"),
            Self::PreviousFinding => tr!("To the left: sessions without a bar, and bars with prices that cannot be"),
            Self::Measure => tr!("Drag from one place to another: difference, percent, bars and time between them"),
            Self::SaveChartPicture => tr!("What is on the chart now, as a PNG file"),
            Self::CopyChartPicture => tr!("What is on the chart now, for a document or a message"),
            Self::CopyChartRows => tr!("Bars in view with the lines that are shown, with tabs, for a spreadsheet"),
            Self::KeepChartForSymbol => tr!("Its lines, panes and scale belong to this symbol alone; the others go on as before"),
            Self::ChartHelp => tr!("Everything that pointer and keys do on the chart"),
            Self::RestorePanes => tr!("Give every pane of the chart its room back"),
            Self::ApplyTemplate => tr!("Put lines and panes on the chart that were kept under a name"),
            Self::SaveTemplate => tr!("Keep lines and panes of the chart under a name"),
            Self::ResetChart => tr!("Back to the default template; what was on the chart can be had back"),
            Self::ToggleTheme => tr!("Dark and light are equals"),
            Self::SpeakEnglish | Self::SpeakChinese | Self::SpeakRussian | Self::SpeakKorean => {
                tr!("Words, numbers and dates change at once")
            }
            Self::Palette => tr!("Everything can be reached from here"),
            Self::Help => tr!("Every shortcut and gesture"),
            Self::FindSymbol => tr!("Typing a letter does the same wherever no text is written"),
            Self::GoBack => tr!("To the symbol or view that was looked at before"),
            Self::GoForward => tr!("To the symbol or view that was left by going back"),
            Self::ZoomIn => tr!("Texts and controls one step larger, up to 200 %"),
            Self::ZoomOut => tr!("Texts and controls one step smaller, down to 50 %"),
            Self::ZoomReset => tr!("Texts and controls at 100 %"),
            Self::SaveDiagnostics => tr!("What helps to find a fault, in one file: versions, settings, messages, jobs; no passwords"),
            Self::About => tr!("Version, licence, and the folders that are in use"),
            Self::Quit => tr!("Close the window; asks first while a job runs"),
        }
    }

    /// The language it switches to.
    #[must_use]
    pub const fn language(self) -> Option<Language> {
        match self {
            Self::SpeakEnglish => Some(Language::English),
            Self::SpeakChinese => Some(Language::Chinese),
            Self::SpeakRussian => Some(Language::Russian),
            Self::SpeakKorean => Some(Language::Korean),
            _ => None,
        }
    }

    /// Under which heading it is listed.
    #[must_use]
    pub fn group(self) -> CommandGroup {
        match self {
            Self::PreheatAll
            | Self::CheckSource
            | Self::PreheatSelected
            | Self::RefreshSelected
            | Self::InvalidateSelected
            | Self::ClearSelected
            | Self::PinSelected
            | Self::ClearExpired
            | Self::ClearAll
            | Self::FreeSpace
            | Self::UndoClear
            | Self::Verify
            | Self::Repair
            | Self::MeasureSpeed => CommandGroup::Cache,
            Self::RetryFailed | Self::PauseJob | Self::ResumeJob | Self::CancelJob => CommandGroup::Jobs,
            Self::UseSample | Self::ConnectSource | Self::ListSymbols | Self::ProfileSource => CommandGroup::Source,
            Self::ShowInspector
            | Self::FocusFilter
            | Self::SelectAll
            | Self::SelectNone
            | Self::PreviousSymbol
            | Self::NextSymbol
            | Self::FindSymbol
            | Self::CopyRows
            | Self::CopySymbols
            | Self::CopyPaths
            | Self::RevealFile
            | Self::ExportRows
            | Self::NewList => CommandGroup::Symbols,
            Self::ShowFeatures
            | Self::SearchFeatures
            | Self::NewFormula
            | Self::SaveFormula
            | Self::ToggleVolume
            | Self::ToggleLogScale
            | Self::TogglePercentScale
            | Self::ToggleIndexedScale
            | Self::ToggleCalendarTime
            | Self::FitScales
            | Self::Indicators
            | Self::Compare
            | Self::CompareSelected
            | Self::StopComparing
            | Self::GoToDate
            | Self::NextFinding
            | Self::PreviousFinding
            | Self::Measure
            | Self::SaveChartPicture
            | Self::CopyChartPicture
            | Self::CopyChartRows
            | Self::KeepChartForSymbol
            | Self::ChartHelp
            | Self::RestorePanes
            | Self::ApplyTemplate
            | Self::SaveTemplate
            | Self::ResetChart => CommandGroup::Chart,
            Self::ShowSymbols
            | Self::ShowOverview
            | Self::ShowJobs
            | Self::ShowSettings
            | Self::GoBack
            | Self::GoForward
            | Self::ToggleTheme
            | Self::ZoomIn
            | Self::ZoomOut
            | Self::ZoomReset
            | Self::SpeakEnglish
            | Self::SpeakChinese
            | Self::SpeakRussian
            | Self::SpeakKorean
            | Self::Palette
            | Self::Help
            | Self::SaveDiagnostics
            | Self::About
            | Self::Quit => CommandGroup::View,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_keys_or_words() {
        let all: Vec<Command> = Command::iter().collect();
        for (position, command) in all.iter().enumerate() {
            for other in &all[position + 1..] {
                assert!(command.shortcut().is_none() || command.shortcut() != other.shortcut(), "{command:?} {other:?}");
                assert_ne!(command.text(), other.text(), "{command:?} {other:?}");
            }
        }
    }

    #[test]
    fn every_text_is_a_sentence_without_a_full_stop() {
        for command in Command::iter() {
            for text in [command.text(), command.tooltip()] {
                assert!(text.starts_with(|first: char| first.is_uppercase()) && !text.ends_with('.'), "{text}");
            }
            assert!(CommandGroup::iter().any(|group| group.commands().any(|listed| listed == command)));
        }
    }
}
