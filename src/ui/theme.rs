//! How Samovar looks: the only file with colours, text sizes and spacings.
//!
//! The idea is temperature. One warm accent, the copper of a samovar, stands for heat and for what can be pressed; what
//! has cooled is blue-grey; red is kept for damage and failure. A state is always a colour *and* a shape *and* a word
//! ([`StateMark`]), so nobody needs to see colours.
//!
//! Not a widget library: views ask [`Theme::of`] for tokens and draw themselves. Contract: every token exists for dark and
//! light; text keeps 4.5:1 and marks keep 3:1 on every surface (tested below). Figures are tabular in the bundled font, so
//! numbers need no family of their own.

use crate::tr;
use eframe::egui;
use egui::epaint::text::{FontData, FontDefinitions, FontTweak};
use egui::style::{ScrollAnimation, ScrollStyle, Selection, WidgetVisuals, Widgets};
use egui::{Color32, Context, CornerRadius, FontFamily, FontId, Id, Margin, Shadow, Stroke, Style, TextStyle, Visuals, vec2};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub use super::marks::{StateMark, mark_ui, paint_mark};

/// Distances, on a grid of four points.
pub mod space {
    /// Between things that belong together: an icon and its word.
    pub const XS: f32 = 4.0;
    /// Between neighbours.
    pub const S: f32 = 8.0;
    /// Inside a panel's edge.
    pub const M: f32 = 12.0;
    /// Between groups.
    pub const L: f32 = 16.0;
    /// Between sections.
    pub const XL: f32 = 24.0;
    /// Around an empty state.
    pub const XXL: f32 = 48.0;
}

/// Heights and text sizes.
pub mod size {
    /// A row of a table or list.
    pub const ROW: f32 = 24.0;
    /// A header over rows, a pane's legend, a status bar.
    pub const BAR: f32 = 28.0;
    /// Buttons, fields and selectable labels.
    pub const CONTROL: f32 = 24.0;
    /// Bar of tools over a view.
    pub const TOOLBAR: f32 = 36.0;
    /// Side of an icon inside a control.
    pub const ICON: f32 = 16.0;
    /// Side of a state mark.
    pub const MARK: f32 = 10.0;
    /// Axis labels, hints, secondary facts.
    pub const TEXT_SMALL: f32 = 11.5;
    /// Everything that is read.
    pub const TEXT_BODY: f32 = 13.5;
    /// Titles of views and dialogs.
    pub const TEXT_HEADING: f32 = 18.0;
    /// The few figures that are read from across the desk.
    pub const TEXT_DISPLAY: f32 = 30.0;
    /// Rounding of controls.
    pub const RADIUS: u8 = 4;
    /// Rounding of windows and popups.
    pub const RADIUS_WINDOW: u8 = 8;
}

/// What the colours of [`Theme::series`] are called, in their order.
#[must_use]
pub fn series_names() -> [&'static str; 10] {
    [
        tr!("Blue"),
        tr!("Amber"),
        tr!("Violet"),
        tr!("Teal"),
        tr!("Pink"),
        tr!("Olive"),
        tr!("Copper"),
        tr!("Slate"),
        tr!("Indigo"),
        tr!("Sand"),
    ]
}

/// Which colours gains and losses have on charts; the user's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceColors {
    /// Green gains, red losses: Europe and America.
    #[default]
    GreenUp,
    /// Red gains, green losses: China, Japan and Korea.
    RedUp,
    /// Blue gains, orange losses: told apart by every kind of colour vision.
    BlueOrange,
}

impl PriceColors {
    /// Every choice, in the order it is offered.
    pub const ALL: [Self; 3] = [Self::GreenUp, Self::RedUp, Self::BlueOrange];

    /// What the choice is called.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::GreenUp => tr!("Green up, red down"),
            Self::RedUp => tr!("Red up, green down"),
            Self::BlueOrange => tr!("Blue up, orange down"),
        }
    }
}

/// Every colour there is, for one of the two themes.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Whether this is the dark theme.
    pub dark: bool,
    /// Behind tables and charts.
    pub background: Color32,
    /// Side panels and bars.
    pub panel: Color32,
    /// Popups, dialogs and fields.
    pub raised: Color32,
    /// Behind text that is typed.
    pub field: Color32,
    /// Boxes of checkboxes and rails of sliders: small, and to be seen on every surface.
    pub control: Color32,
    /// Face of an ordinary button.
    pub button: Color32,
    /// Face under the pointer: rows, buttons.
    pub hover: Color32,
    /// What is read first.
    pub text: Color32,
    /// What is read second.
    pub text_weak: Color32,
    /// What cannot be used now.
    pub text_disabled: Color32,
    /// A quiet line between things.
    pub line: Color32,
    /// A line that can be dragged, or the edge of a field.
    pub line_strong: Color32,
    /// Copper: what can be pressed, what is chosen, what is hot.
    pub accent: Color32,
    /// Text on a face of the accent colour.
    pub on_accent: Color32,
    /// Behind what is selected.
    pub accent_weak: Color32,
    /// State: fresh.
    pub fresh: Color32,
    /// State: fresh, but near the end of its time.
    pub cooling: Color32,
    /// State: its time is over.
    pub stale: Color32,
    /// State: its inputs or its definition changed.
    pub outdated: Color32,
    /// State: fails its checksum, or the last attempt failed.
    pub damaged: Color32,
    /// State: not in the cache.
    pub missing: Color32,
    /// State: a job has it now.
    pub working: Color32,
    /// Flag: never evicted.
    pub pinned: Color32,
    /// Something needs a look.
    pub warning: Color32,
    /// Something failed.
    pub error: Color32,
    /// Something is done.
    pub success: Color32,
    /// Rising bars.
    pub gain: Color32,
    /// Falling bars.
    pub loss: Color32,
    /// Volume of rising bars.
    pub volume_gain: Color32,
    /// Volume of falling bars.
    pub volume_loss: Color32,
    /// Volume where single bars can no longer be told apart.
    pub volume: Color32,
    /// The price where single bars can no longer be told apart.
    pub price: Color32,
    /// Lines of a chart's grid.
    pub grid: Color32,
    /// Guides such as 30 and 70 of the RSI.
    pub guide: Color32,
    /// The crosshair.
    pub crosshair: Color32,
    /// Face of the tags a crosshair sets on the axes.
    pub tag: Color32,
    /// Text on such a tag.
    pub on_tag: Color32,
    /// Lines drawn over prices and in panes, in the order they are given out.
    pub series: [Color32; 10],
    /// In a formula: a column of the bars.
    pub code_field: Color32,
    /// In a formula: a function.
    pub code_function: Color32,
    /// In a formula: a number.
    pub code_number: Color32,
    /// In a formula: a feature or helper.
    pub code_name: Color32,
    /// Below popups and dialogs.
    pub shadow: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The same colour, mixed into what is behind it: 0 is the backdrop, 1 the colour.
const fn mix(backdrop: Color32, color: Color32, share: f32) -> Color32 {
    const fn channel(back: u8, front: u8, share: f32) -> u8 {
        (back as f32 + (front as f32 - back as f32) * share) as u8
    }
    Color32::from_rgb(
        channel(backdrop.r(), color.r(), share),
        channel(backdrop.g(), color.g(), share),
        channel(backdrop.b(), color.b(), share),
    )
}

const fn dark(gain: u32, loss: u32) -> Theme {
    let background = rgb(0x141619);
    Theme {
        dark: true,
        background,
        panel: rgb(0x1a1d21),
        raised: rgb(0x23272c),
        field: rgb(0x0f1113),
        control: rgb(0x444b54),
        button: rgb(0x2a2f35),
        hover: rgb(0x30353c),
        text: rgb(0xece9e4),
        text_weak: rgb(0xa6adb7),
        text_disabled: rgb(0x6b737e),
        line: rgb(0x2a2e34),
        line_strong: rgb(0x444b54),
        accent: rgb(0xe59a62),
        on_accent: rgb(0x1f1208),
        accent_weak: rgb(0x412d20),
        fresh: rgb(0xec8f4f),
        cooling: rgb(0xd2b48c),
        stale: rgb(0x7da3cb),
        outdated: rgb(0xbb9ce6),
        damaged: rgb(0xf26d64),
        missing: rgb(0x848d99),
        working: rgb(0xf2c092),
        pinned: rgb(0xc9cdd3),
        warning: rgb(0xe6b84a),
        error: rgb(0xf47970),
        success: rgb(0x5cbf93),
        gain: rgb(gain),
        loss: rgb(loss),
        volume_gain: mix(background, rgb(gain), 0.55),
        volume_loss: mix(background, rgb(loss), 0.55),
        volume: rgb(0x59626e),
        price: rgb(0xb4bcc8),
        grid: rgb(0x1f2327),
        guide: rgb(0x3a4048),
        crosshair: rgb(0x666e79),
        tag: rgb(0x3c434c),
        on_tag: rgb(0xf2f0ec),
        series: [
            rgb(0x5ca8ee),
            rgb(0xe9b43f),
            rgb(0xc38fec),
            rgb(0x43c2b8),
            rgb(0xec7fa9),
            rgb(0xa6bf58),
            rgb(0xe59a62),
            rgb(0x98aac2),
            rgb(0x7f80f2),
            rgb(0xe8e2c6),
        ],
        code_field: rgb(0x62c6bb),
        code_function: rgb(0x7db9f4),
        code_number: rgb(0xe2b862),
        code_name: rgb(0xcba6f2),
        shadow: Color32::from_black_alpha(110),
    }
}

const fn light(gain: u32, loss: u32) -> Theme {
    let background = rgb(0xfdfcfa);
    Theme {
        dark: false,
        background,
        panel: rgb(0xf4f2ee),
        raised: rgb(0xffffff),
        field: rgb(0xece9e3),
        control: rgb(0xcfcac2),
        button: rgb(0xe8e5df),
        hover: rgb(0xdfdbd4),
        text: rgb(0x202328),
        text_weak: rgb(0x565d67),
        text_disabled: rgb(0x989ea6),
        line: rgb(0xe3dfd8),
        line_strong: rgb(0xbfb9b0),
        accent: rgb(0xa04e18),
        on_accent: rgb(0xffffff),
        accent_weak: rgb(0xf7e2d1),
        fresh: rgb(0xc75c14),
        cooling: rgb(0x977846),
        stale: rgb(0x4b719c),
        outdated: rgb(0x7a53b3),
        damaged: rgb(0xc62f2a),
        missing: rgb(0x767e88),
        working: rgb(0x9c5622),
        pinned: rgb(0x4a5058),
        warning: rgb(0x8a6206),
        error: rgb(0xb92a25),
        success: rgb(0x1c724d),
        gain: rgb(gain),
        loss: rgb(loss),
        volume_gain: mix(background, rgb(gain), 0.5),
        volume_loss: mix(background, rgb(loss), 0.5),
        volume: rgb(0xa5adb8),
        price: rgb(0x4d5765),
        grid: rgb(0xf0ede8),
        guide: rgb(0xcdc8c0),
        crosshair: rgb(0x8c929a),
        tag: rgb(0x454c56),
        on_tag: rgb(0xffffff),
        series: [
            rgb(0x1f6fbf),
            rgb(0xa87400),
            rgb(0x874cb8),
            rgb(0x0f8179),
            rgb(0xbf3f74),
            rgb(0x667c14),
            rgb(0xb15a1f),
            rgb(0x5b6f8a),
            rgb(0x3d3ac4),
            rgb(0x5a4636),
        ],
        code_field: rgb(0x0b6b63),
        code_function: rgb(0x1c5fa6),
        code_number: rgb(0x7d5500),
        code_name: rgb(0x7440a6),
        shadow: Color32::from_black_alpha(40),
    }
}

const DARK_GREEN: u32 = 0x3db583;
const DARK_RED: u32 = 0xea665e;
const LIGHT_GREEN: u32 = 0x148259;
const LIGHT_RED: u32 = 0xcb3f39;

static DARK: [Theme; 3] = [dark(DARK_GREEN, DARK_RED), dark(DARK_RED, DARK_GREEN), dark(0x4fa0ee, 0xec943d)];
static LIGHT: [Theme; 3] = [light(LIGHT_GREEN, LIGHT_RED), light(LIGHT_RED, LIGHT_GREEN), light(0x1d6fc4, 0xb85f06)];

fn price_colors_id() -> Id {
    Id::unique("samovar price colors")
}

impl Theme {
    /// The theme that is on now, with the user's colours of gains and losses.
    #[must_use]
    pub fn of(ctx: &Context) -> &'static Self {
        let prices = ctx.data(|data| data.get_temp::<PriceColors>(price_colors_id())).unwrap_or_default();
        Self::pick(ctx.theme() == egui::Theme::Dark, prices)
    }

    /// One of the six there are.
    #[must_use]
    pub fn pick(dark: bool, prices: PriceColors) -> &'static Self {
        let [green, red, blue] = if dark { &DARK } else { &LIGHT };
        match prices {
            PriceColors::GreenUp => green,
            PriceColors::RedUp => red,
            PriceColors::BlueOrange => blue,
        }
    }

    /// The colour of a line on a chart; colours repeat after ten.
    #[must_use]
    pub fn series_color(&self, slot: usize) -> Color32 {
        self.series.get(slot % self.series.len()).copied().unwrap_or(self.text)
    }

    /// A colour the user mixed.
    #[must_use]
    pub fn custom_color(&self, red: u8, green: u8, blue: u8) -> Color32 {
        Color32::from_rgb(red, green, blue)
    }

    /// Behind words over a chart: what is below shows through, but not so that it disturbs.
    #[must_use]
    pub fn veil(&self) -> Color32 {
        self.background.gamma_multiply(0.82)
    }

    /// Gain or loss by sign, quiet text for none.
    #[must_use]
    pub fn change_color(&self, change: f64) -> Color32 {
        match change.partial_cmp(&0.0) {
            Some(std::cmp::Ordering::Greater) => self.gain,
            Some(std::cmp::Ordering::Less) => self.loss,
            _ => self.text_weak,
        }
    }
}

impl Theme {
    /// The tint of what has just changed, for a moment: text stays readable on it.
    #[must_use]
    pub fn flash(&self) -> Color32 {
        self.accent.gamma_multiply(0.28)
    }
}

/// Sets the colours of gains and losses for every view.
pub fn set_price_colors(ctx: &Context, colors: PriceColors) {
    ctx.data_mut(|data| data.insert_temp(price_colors_id(), colors));
}

/// Whether nothing may flash or move by itself, for every view.
pub fn set_reduced_motion(ctx: &Context, reduced: bool) {
    ctx.data_mut(|data| data.insert_temp(Id::unique("samovar reduced motion"), reduced));
}

/// Whether what changed may flash.
#[must_use]
pub fn may_flash(ctx: &Context) -> bool {
    !ctx.data(|data| data.get_temp::<bool>(Id::unique("samovar reduced motion"))).unwrap_or_default()
}

/// Text style of the few figures that are read from across the desk.
#[must_use]
pub fn display() -> TextStyle {
    TextStyle::Name("display".into())
}

/// Text style of numbers in tables and legends: the body style, whose figures all have one width.
#[must_use]
pub fn numbers() -> TextStyle {
    TextStyle::Body
}

/// Gives the window its fonts, text styles, spacings and both themes. Call once, before the first frame.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    for (which, theme) in [(egui::Theme::Dark, &DARK), (egui::Theme::Light, &LIGHT)] {
        let [theme, ..] = theme;
        ctx.style_mut_of(which, |style| apply(style, theme));
    }
}

/// egui's own fonts and the icons, which follow every other font of a family so that they mix with text.
fn fonts() -> FontDefinitions {
    let icons = egui_material_icons::font_insert();
    let mut fonts = FontDefinitions::default();
    let tweak = FontTweak { y_offset_factor: 0.09, ..FontTweak::default() };
    fonts.font_data.insert(icons.name.clone(), Arc::new(FontData { tweak, ..icons.data }));
    for family in [FontFamily::Proportional, FontFamily::Monospace, FontFamily::Name(egui_material_icons::FONT_FAMILY.into())] {
        fonts.families.entry(family).or_default().push(icons.name.clone());
    }
    fonts
}

fn apply(style: &mut Style, theme: &Theme) {
    let proportional = |size: f32| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Small, proportional(size::TEXT_SMALL)),
        (TextStyle::Body, proportional(size::TEXT_BODY)),
        (TextStyle::Button, proportional(size::TEXT_BODY)),
        (TextStyle::Heading, proportional(size::TEXT_HEADING)),
        (display(), proportional(size::TEXT_DISPLAY)),
        (TextStyle::Monospace, FontId::new(size::TEXT_SMALL, FontFamily::Monospace)),
    ]
    .into();
    // Nothing moves but what changes, and an idle window draws nothing: no fades, no blinking cursor.
    style.animation_time = 0.0;
    style.scroll_animation = ScrollAnimation::none();
    style.interaction.tooltip_delay = 0.4;
    // An instrument, not a page: only paths and errors are selectable, and they say so themselves.
    style.interaction.selectable_labels = false;

    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(space::S, space::XS);
    spacing.button_padding = vec2(space::S, 3.0);
    spacing.interact_size = vec2(size::CONTROL, size::CONTROL);
    spacing.window_margin = Margin::same(16);
    spacing.menu_margin = Margin::same(8);
    spacing.indent = space::L;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 10.0;
    spacing.icon_spacing = space::S;
    spacing.combo_width = 120.0;
    spacing.text_edit_width = 240.0;
    spacing.tooltip_width = 360.0;
    spacing.scroll = ScrollStyle::thin();

    style.visuals = visuals(theme);
    style.visuals.text_cursor.blink = false;
}

fn visuals(theme: &Theme) -> Visuals {
    let face = |fill: Color32, edge: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: if edge == Color32::TRANSPARENT { Stroke::NONE } else { Stroke::new(1.0, edge) },
        corner_radius: CornerRadius::same(size::RADIUS),
        fg_stroke: Stroke::new(1.0, text),
        // Growing under the pointer would make rows jump.
        expansion: 0.0,
    };
    let none = Color32::TRANSPARENT;
    let base = if theme.dark { Visuals::dark() } else { Visuals::light() };
    let shadow = |offset: i8, blur: u8| Shadow { offset: [0, offset], blur, spread: 0, color: theme.shadow };
    Visuals {
        dark_mode: theme.dark,
        weak_text_color: Some(theme.text_weak),
        widgets: Widgets {
            noninteractive: face(theme.panel, theme.line, theme.text),
            inactive: WidgetVisuals { bg_fill: theme.control, ..face(theme.button, none, theme.text) },
            hovered: face(theme.hover, none, theme.text),
            active: face(theme.accent_weak, theme.accent, theme.text),
            open: face(theme.hover, none, theme.text),
        },
        selection: Selection { bg_fill: theme.accent_weak, stroke: Stroke::new(1.0, theme.accent) },
        hyperlink_color: theme.accent,
        faint_bg_color: mix(theme.background, theme.hover, 0.25),
        extreme_bg_color: theme.background,
        text_edit_bg_color: Some(theme.field),
        code_bg_color: theme.raised,
        warn_fg_color: theme.warning,
        error_fg_color: theme.error,
        window_corner_radius: CornerRadius::same(size::RADIUS_WINDOW),
        window_shadow: shadow(8, 32),
        window_fill: theme.raised,
        window_stroke: Stroke::new(1.0, theme.line),
        menu_corner_radius: CornerRadius::same(size::RADIUS_WINDOW),
        panel_fill: theme.panel,
        popup_shadow: shadow(4, 16),
        striped: false,
        slider_trailing_fill: true,
        ..base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn all() -> impl Iterator<Item = &'static Theme> {
        DARK.iter().chain(&LIGHT)
    }

    #[track_caller]
    fn check(theme: &Theme, name: &str, front: Color32, behind: Color32, least: f64) {
        let ratio = contrast(front, behind);
        assert!(ratio >= least, "dark: {}, {name}: {ratio:.2} is less than {least}", theme.dark);
    }

    #[test]
    fn text_can_be_read_on_every_surface_of_both_themes() {
        for theme in all() {
            for surface in [theme.background, theme.panel, theme.raised, theme.field] {
                check(theme, "text", theme.text, surface, 7.0);
                for (name, text) in [
                    ("weak text", theme.text_weak),
                    ("accent", theme.accent),
                    ("error", theme.error),
                    ("warning", theme.warning),
                    ("success", theme.success),
                    ("field of a formula", theme.code_field),
                    ("function of a formula", theme.code_function),
                    ("number of a formula", theme.code_number),
                    ("name of a formula", theme.code_name),
                ] {
                    check(theme, name, text, surface, 4.5);
                }
            }
            for face in [theme.button, theme.hover, theme.accent_weak] {
                check(theme, "text on a face", theme.text, face, 4.5);
            }
            check(theme, "accent on a selection", theme.accent, theme.accent_weak, 4.5);
            check(theme, "text on accent", theme.on_accent, theme.accent, 4.5);
            check(theme, "text on a tag", theme.on_tag, theme.tag, 4.5);
            check(theme, "weak text on a selection", theme.text_weak, theme.accent_weak, 4.5);
        }
    }

    #[test]
    fn marks_and_lines_can_be_seen_on_every_surface_of_both_themes() {
        for theme in all() {
            for surface in [theme.background, theme.panel, theme.raised, theme.accent_weak] {
                for mark in StateMark::ALL {
                    check(theme, mark.word(), mark.color(theme), surface, 3.0);
                }
            }
            for (slot, color) in theme.series.iter().enumerate() {
                check(theme, &format!("series {slot}"), *color, theme.background, 3.0);
            }
            for (name, color) in [("gain", theme.gain), ("loss", theme.loss), ("price", theme.price), ("crosshair", theme.crosshair)] {
                check(theme, name, color, theme.background, 3.0);
            }
        }
    }

    #[test]
    fn figures_have_one_width() {
        let ctx = Context::default();
        install(&ctx);
        let mut widths = Vec::new();
        let output = ctx.run_ui(egui::RawInput::default(), |ui| {
            widths = ["11111.11", "88888.88", "40717.04"]
                .map(|text| {
                    let font = numbers().resolve(ui.style());
                    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::WHITE).size().x
                })
                .to_vec();
        });
        output.drop_without_applying_deltas();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{widths:?}");
    }

    #[test]
    fn no_other_file_of_the_window_makes_colours() {
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/ui")];
        let needles = [["Color32", "::from_"].concat(), ["hex_", "color!"].concat()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("src/ui can be listed").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != "theme.rs") {
                    let text = std::fs::read_to_string(&path).expect("a source file can be read");
                    assert!(!needles.iter().any(|needle| text.contains(needle)), "{} makes its own colours", path.display());
                }
            }
        }
    }
}
