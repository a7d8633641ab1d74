//! Which commands can be run now, and why the others cannot.
//!
//! Contract: a pure function of the state, cheap enough to be asked for every button of every frame; reasons are parts of sentences in
//! the language of the window.

use super::command::Command;
use super::jobs::JobStage;
use super::state::{AppState, View};
use crate::config::ZOOM_PERCENTS;
use crate::tr;

impl Command {
    /// Whether it can be run now; if not, why.
    ///
    /// # Errors
    /// The reason, in a few words, to be shown beside it.
    pub fn enabled(self, state: &AppState) -> Result<(), &'static str> {
        let needs = |condition: bool, reason: &'static str| if condition { Ok(()) } else { Err(reason) };
        let source = needs(state.has_source(), tr!("connect a source first"));
        let selected = source.and(needs(!state.list.selected().is_empty(), tr!("select symbols first")));
        // In the list, the symbol on the chart is meant where none is selected.
        let has_focus = state.view == View::Symbols && state.list.focus().is_some();
        let meant = source.and(needs(!state.list.selected().is_empty() || has_focus, tr!("select symbols first")));
        let stage = state.active_job().map(|job| job.stage);
        let on_chart = source.and(needs(state.view == View::Symbols, tr!("go to the symbols first")));
        let with_bars = on_chart.and(needs(state.chart.loaded.is_some(), tr!("no chart is shown")));
        match self {
            Self::PreheatAll
            | Self::CheckSource
            | Self::ListSymbols
            | Self::MeasureSpeed
            | Self::ShowInspector
            | Self::ShowFeatures
            | Self::SearchFeatures
            | Self::NewFormula => source,
            Self::SaveFormula => needs(state.features.open && state.features.editor.is_some(), tr!("no formula is being written")),
            Self::PreheatSelected | Self::RefreshSelected | Self::InvalidateSelected | Self::ClearSelected | Self::PinSelected => meant,
            Self::SelectNone => selected,
            Self::CopyRows | Self::CopySymbols | Self::CopyPaths => {
                source.and(needs(state.list.focus().is_some(), tr!("select symbols first")))
            }
            Self::RevealFile => {
                let has_file = state.list.focus().and_then(|symbol| state.bars_path(symbol)).is_some();
                source.and(needs(has_file, tr!("nothing is cached of it")))
            }
            Self::ExportRows => source
                .and(needs(state.exporting.is_none(), tr!("an export is under way")))
                .and(needs(!state.list.visible().is_empty(), tr!("the list is empty"))),
            Self::NewList => source,
            Self::ClearExpired | Self::ClearAll => {
                // Without a source "everything" would mean the files of every source.
                let cached = state.snapshot.cached_symbols > 0;
                source.and(needs(state.snapshot.source.is_some() && cached, tr!("nothing is cached")))
            }
            Self::ProfileSource => source.and(needs(!state.overview.profiling, tr!("it is being profiled"))),
            Self::UseSample | Self::ConnectSource => needs(!state.fixed_source, tr!("the source was named on the command line")),
            Self::FreeSpace => {
                let usage = &state.snapshot.usage;
                // What a job needs is not known outside it, and must not go.
                needs(state.active_job().is_none(), tr!("a job is running"))
                    .and(needs(usage.bars_bytes + usage.features_bytes + usage.trash_bytes > 0, tr!("nothing is cached")))
            }
            Self::Verify | Self::Repair => {
                needs(state.snapshot.usage.bars_bytes + state.snapshot.usage.features_bytes > 0, tr!("nothing is cached"))
            }
            Self::UndoClear => needs(!state.snapshot.trash.is_empty(), tr!("nothing was cleared in the last 24 hours")),
            Self::RetryFailed => source.and(needs(state.snapshot.failed_symbols > 0, tr!("nothing failed"))),
            Self::PauseJob => needs(stage == Some(JobStage::Running), tr!("no job is running")),
            Self::ResumeJob => needs(stage == Some(JobStage::Paused), tr!("no job is paused")),
            Self::CancelJob => needs(stage.is_some(), tr!("no job is running")),
            Self::FocusFilter
            | Self::SelectAll
            | Self::PreviousSymbol
            | Self::NextSymbol
            | Self::ToggleVolume
            | Self::ToggleLogScale
            | Self::ApplyTemplate
            | Self::SaveTemplate
            | Self::ResetChart => source.and(needs(state.view == View::Symbols, tr!("go to the symbols first"))),
            Self::TogglePercentScale | Self::ToggleIndexedScale | Self::ToggleCalendarTime => on_chart,
            Self::FitScales
            | Self::Indicators
            | Self::Compare
            | Self::GoToDate
            | Self::NextFinding
            | Self::PreviousFinding
            | Self::Measure
            | Self::SaveChartPicture
            | Self::CopyChartPicture
            | Self::CopyChartRows
            | Self::KeepChartForSymbol
            | Self::ChartHelp => with_bars,
            Self::CompareSelected => selected,
            Self::StopComparing => on_chart.and(needs(state.chart.layout.compared().next().is_some(), tr!("nothing is compared"))),
            Self::RestorePanes => source.and(needs(state.chart.layout.maximised().is_some(), tr!("all panes are shown"))),
            Self::FindSymbol => source.and(needs(!state.snapshot.rows.is_empty(), tr!("there are no symbols yet"))),
            Self::GoBack => needs(state.visits.can_go_back(), tr!("nothing was looked at before")),
            Self::GoForward => needs(state.visits.can_go_forward(), tr!("nothing was left by going back")),
            Self::ZoomIn => needs(state.settings.appearance.zoom_percent < *ZOOM_PERCENTS.end(), tr!("it is as large as it gets")),
            Self::ZoomOut => needs(state.settings.appearance.zoom_percent > *ZOOM_PERCENTS.start(), tr!("it is as small as it gets")),
            Self::ZoomReset => needs(state.settings.appearance.zoom_percent != 100, tr!("it has its usual size")),
            Self::ShowSymbols
            | Self::ShowOverview
            | Self::ShowJobs
            | Self::ShowSettings
            | Self::ToggleTheme
            | Self::SpeakEnglish
            | Self::SpeakChinese
            | Self::SpeakRussian
            | Self::SpeakKorean
            | Self::Palette
            | Self::Help
            | Self::SaveDiagnostics
            | Self::About
            | Self::Quit => Ok(()),
        }
    }
}
