//! The icons of the window by what they mean, so that no view scatters glyphs.
//!
//! All come from the Material Symbols font that [`super::theme::install`] loads. Contract: an icon never stands alone
//! without an accessible name; use [`icon_button_ui`], which takes one.

use super::theme::{Theme, size};
use eframe::egui;
use egui::{Button, Response, RichText, Ui, Vec2, WidgetInfo};
use egui_material_icons::icons as material;

macro_rules! icons {
    ($($(#[$doc:meta])* $name:ident = $icon:ident;)*) => {
        $($(#[$doc])* pub const $name: &str = material::$icon.codepoint;)*
    };
}

icons! {
    /// Preheat.
    PREHEAT = ICON_LOCAL_FIRE_DEPARTMENT;
    /// Refresh.
    REFRESH = ICON_REFRESH;
    /// Invalidate: it cools.
    INVALIDATE = ICON_AC_UNIT;
    /// Clear, delete.
    CLEAR = ICON_DELETE;
    /// Undo.
    UNDO = ICON_UNDO;
    /// Start, play.
    PLAY = ICON_PLAY_ARROW;
    /// Pause.
    PAUSE = ICON_PAUSE;
    /// Resume.
    RESUME = ICON_PLAY_ARROW;
    /// Stop.
    STOP = ICON_STOP;
    /// Cancel a job.
    CANCEL = ICON_CANCEL;
    /// Try again.
    RETRY = ICON_REPLAY;
    /// Settings.
    SETTINGS = ICON_SETTINGS;
    /// Search.
    SEARCH = ICON_SEARCH;
    /// Filter.
    FILTER = ICON_FILTER_LIST;
    /// Candles.
    CHART = ICON_CANDLESTICK_CHART;
    /// What heights on the chart mean.
    SCALE = ICON_LINE_AXIS;
    /// Indicators.
    INDICATORS = ICON_SHOW_CHART;
    /// Overview.
    OVERVIEW = ICON_DASHBOARD;
    /// Jobs.
    JOBS = ICON_TASK_ALT;
    /// Symbols.
    SYMBOLS = ICON_LIST_ALT;
    /// Sources.
    SOURCES = ICON_DATABASE;
    /// A database.
    DATABASE = ICON_DATABASE;
    /// Add.
    ADD = ICON_ADD;
    /// Done.
    CHECK = ICON_CHECK;
    /// Not done yet.
    PENDING = ICON_RADIO_BUTTON_UNCHECKED;
    /// Not done, and not needed.
    SKIPPED = ICON_REMOVE;
    /// Mend.
    REPAIR = ICON_BUILD;
    /// An error.
    ERROR = ICON_ERROR;
    /// A warning.
    WARNING = ICON_WARNING;
    /// A note.
    INFO = ICON_INFO;
    /// To the left.
    CHEVRON_LEFT = ICON_CHEVRON_LEFT;
    /// To the right, or closed.
    CHEVRON_RIGHT = ICON_CHEVRON_RIGHT;
    /// Open, downwards.
    EXPAND = ICON_EXPAND_MORE;
    /// Open, upwards.
    COLLAPSE = ICON_EXPAND_LESS;
    /// Sorted upwards.
    SORT_UP = ICON_ARROW_UPWARD;
    /// Sorted downwards.
    SORT_DOWN = ICON_ARROW_DOWNWARD;
    /// Close, remove.
    CLOSE = ICON_CLOSE;
    /// Shown.
    VISIBLE = ICON_VISIBILITY;
    /// Hidden.
    HIDDEN = ICON_VISIBILITY_OFF;
    /// Pin.
    PIN = ICON_KEEP;
    /// Unpin.
    UNPIN = ICON_KEEP_OFF;
    /// A folder.
    FOLDER = ICON_FOLDER_OPEN;
    /// Copy.
    COPY = ICON_CONTENT_COPY;
    /// Save, export.
    EXPORT = ICON_DOWNLOAD;
    /// Edit.
    EDIT = ICON_EDIT;
    /// Another name.
    RENAME = ICON_EDIT_NOTE;
    /// Light theme.
    LIGHT = ICON_LIGHT_MODE;
    /// Dark theme.
    DARK = ICON_DARK_MODE;
    /// The system's theme.
    SYSTEM_THEME = ICON_CONTRAST;
    /// Help.
    HELP = ICON_HELP;
    /// Fine tuning.
    TUNE = ICON_TUNE;
    /// History.
    HISTORY = ICON_HISTORY;
    /// A point in time, a schedule.
    CLOCK = ICON_SCHEDULE;
    /// How quick something is.
    SPEED = ICON_SPEED;
    /// Notices of before.
    BELL = ICON_NOTIFICATIONS;
    /// One earlier in a row of waiting things.
    EARLIER = ICON_ARROW_UPWARD;
    /// One later in a row of waiting things.
    LATER = ICON_ARROW_DOWNWARD;
    /// Before all others that wait.
    FIRST = ICON_VERTICAL_ALIGN_TOP;
    /// More commands.
    MORE = ICON_MORE_VERT;
    /// Keyboard shortcuts.
    KEYBOARD = ICON_KEYBOARD;
    /// Back to the start.
    RESET = ICON_RESTART_ALT;
    /// The source cannot be reached.
    OFFLINE = ICON_CLOUD_OFF;
    /// The features panel.
    FEATURES = ICON_FUNCTION;
    /// Encrypted; only read.
    LOCK = ICON_LOCK;
    /// To what was looked at before.
    BACK = ICON_ARROW_BACK;
    /// To what was left by going back.
    FORWARD = ICON_ARROW_FORWARD;
    /// Larger.
    ZOOM_IN = ICON_ZOOM_IN;
    /// Smaller.
    ZOOM_OUT = ICON_ZOOM_OUT;
    /// A bundle for whoever looks for a fault.
    DIAGNOSTICS = ICON_BUG_REPORT;
    /// Leave.
    QUIT = ICON_LOGOUT;
    /// Let fall here.
    DROP = ICON_UPLOAD_FILE;
    /// All the room for one pane.
    MAXIMISE = ICON_OPEN_IN_FULL;
    /// Room for all panes again.
    RESTORE_PANES = ICON_CLOSE_FULLSCREEN;
    /// Chart templates.
    TEMPLATE = ICON_DASHBOARD_CUSTOMIZE;
    /// A favourite, the default.
    STAR = ICON_STAR;
    /// Keep.
    SAVE = ICON_SAVE;
    /// A formula.
    FORMULA = ICON_FUNCTIONS;
    /// Drawn as a line.
    STYLE_LINE = ICON_SHOW_CHART;
    /// Drawn as steps.
    STYLE_STEP = ICON_STAIRS;
    /// Drawn as columns.
    STYLE_HISTOGRAM = ICON_BAR_CHART;
    /// Drawn as a filled line.
    STYLE_AREA = ICON_AREA_CHART;
    /// One line alone.
    SOLO = ICON_CENTER_FOCUS_STRONG;
    /// Compare symbols.
    COMPARE = ICON_COMPARE_ARROWS;
    /// A date.
    CALENDAR = ICON_CALENDAR_MONTH;
    /// Measure.
    MEASURE = ICON_STRAIGHTEN;
    /// A picture.
    PICTURE = ICON_PHOTO_CAMERA;
    /// Everything in view again.
    FIT = ICON_FIT_SCREEN;
    /// Drawn as dots.
    STYLE_DOTS = ICON_SCATTER_PLOT;
}

/// An icon as text, at the size of an icon in a control.
#[must_use]
pub fn icon(glyph: &str) -> RichText {
    RichText::new(glyph).size(size::ICON)
}

/// A quiet button that is only an icon, with its name for hover and for assistive technology.
pub fn icon_button_ui(ui: &mut Ui, glyph: &str, name: &str) -> Response {
    named_icon_button_ui(ui, glyph, name).on_hover_text(name).on_disabled_hover_text(name)
}

/// The same for those who say more when pointed at than their name.
pub fn named_icon_button_ui(ui: &mut Ui, glyph: &str, name: &str) -> Response {
    let theme = Theme::of(ui);
    let color = if ui.is_enabled() { theme.text_weak } else { theme.text_disabled };
    let button = Button::new(icon(glyph).color(color)).frame_when_inactive(false).min_size(Vec2::splat(size::CONTROL));
    let response = ui.add(button);
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, enabled, name));
    response
}
