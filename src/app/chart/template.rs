//! Chart templates: lines and panes under a name, to be put on the chart at once.
//!
//! Contract: the built-in ones can be neither changed nor removed; a template says nothing about the stretch of time in view;
//! what was deleted can be brought back as it was.

use super::layout::{ChartLayout, Placement};
use super::line::FIRST_SET;
use crate::tr;
use crate::worker::series::SeriesSource;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Lines and panes under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartTemplate {
    /// What it is called.
    pub name: String,
    /// What it puts on the chart; its range says nothing.
    pub layout: ChartLayout,
}

/// Why a template cannot have a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateNameError {
    /// Nothing, or nothing but spaces.
    #[error("{}", without_name())]
    Empty,
    /// A built-in template has it.
    #[error("{}", built_in_name(.0))]
    BuiltIn(String),
    /// Another template of the user's has it.
    #[error("{}", taken_name(.0))]
    Taken(String),
}

fn without_name() -> &'static str {
    tr!("A template needs a name")
}

fn built_in_name(name: &str) -> String {
    tr!("{name} is built in; choose another name", name = name)
}

fn taken_name(name: &str) -> String {
    tr!("There is a template called {name} already", name = name)
}

/// The user's templates and which of all is used for what.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Templates {
    own: Vec<ChartTemplate>,
    /// What a chart is reset to; empty for the built-in beginning.
    default_name: String,
    /// The one that was applied or saved last; empty for none.
    current: String,
}

/// What a template is called: those that are built in in the language of the window.
#[must_use]
pub fn shown_name(name: &str) -> &str {
    match name {
        "Price and volume" => tr!("Price and volume"),
        "Chinese classic" => tr!("Chinese classic"),
        "Momentum" => tr!("Momentum"),
        _ => name,
    }
}

/// The built-in templates.
fn built_in() -> &'static [ChartTemplate; 3] {
    static BUILT_IN: LazyLock<[ChartTemplate; 3]> = LazyLock::new(make_built_in);
    &BUILT_IN
}

fn make_built_in() -> [ChartTemplate; 3] {
    let template = |name: &str, lines: &[(&str, &str)]| {
        let mut layout = ChartLayout::bare();
        for (pane, column) in lines {
            let placement = if pane.is_empty() { Placement::Price } else { Placement::Pane((*pane).to_owned()) };
            layout.add(SeriesSource::column(FIRST_SET, *column), &placement);
        }
        ChartTemplate { name: name.to_owned(), layout }
    };
    let averages = [("", "ma5"), ("", "ma10"), ("", "ma20"), ("", "ma60")];
    let macd = [("macd", "macd_dif"), ("macd", "macd_dea"), ("macd", "macd_hist")];
    let kdj = [("kdj", "kdj_k"), ("kdj", "kdj_d"), ("kdj", "kdj_j")];
    [
        template("Price and volume", &[]),
        template("Chinese classic", &[averages.as_slice(), &macd, &kdj].concat()),
        template("Momentum", &[("", "ema12"), ("", "ema26"), ("rsi", "rsi14"), ("atr14", "atr14")]),
    ]
}

impl Templates {
    /// Every template: the built-in ones, then the user's in the order they were made; and whether it is the user's.
    pub fn all(&self) -> impl Iterator<Item = (&ChartTemplate, bool)> {
        built_in().iter().map(|template| (template, false)).chain(self.own.iter().map(|template| (template, true)))
    }

    /// Names of all templates, the built-in ones first; and whether each is the user's.
    #[must_use]
    pub fn names(&self) -> Vec<(String, bool)> {
        self.all().map(|(template, is_own)| (template.name.clone(), is_own)).collect()
    }

    /// The template of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ChartTemplate> {
        self.all().map(|(template, _)| template).find(|template| template.name == name)
    }

    /// Whether the user made the template of this name.
    #[must_use]
    pub fn is_own(&self, name: &str) -> bool {
        self.own.iter().any(|template| template.name == name)
    }

    /// What a chart is reset to.
    #[must_use]
    pub fn default_name(&self) -> Option<&str> {
        Some(self.default_name.as_str()).filter(|name| self.all().any(|(template, _)| template.name == **name))
    }

    /// The template that was applied or saved last, and whether the chart still shows just that.
    #[must_use]
    pub fn current(&self, layout: &ChartLayout) -> Option<(&str, bool)> {
        let template = self.get(&self.current)?;
        Some((&self.current, template.layout.shows_the_same(layout)))
    }

    /// A name as it would be saved.
    ///
    /// # Errors
    /// When a template cannot be called that; saving over one's own (not renaming to it) is no error.
    pub fn check_name(&self, name: &str, may_replace: bool) -> Result<String, TemplateNameError> {
        let name = name.trim();
        if name.is_empty() {
            Err(TemplateNameError::Empty)
        } else if built_in().iter().any(|template| template.name.to_lowercase() == name.to_lowercase()) {
            Err(TemplateNameError::BuiltIn(name.to_owned()))
        } else if !may_replace && self.is_own(name) {
            Err(TemplateNameError::Taken(name.to_owned()))
        } else {
            Ok(name.to_owned())
        }
    }

    /// What putting a template on the chart makes of it; the stretch of time in view stays.
    pub(super) fn apply(&mut self, name: &str, layout: &ChartLayout) -> Option<ChartLayout> {
        let template = self.get(name)?.clone();
        self.current = template.name;
        let mut applied = ChartLayout { maximised: None, ..template.layout }.at_time_of(layout);
        // Ids are never used twice in the life of a chart.
        applied.renumber(layout.last_id);
        Some(applied)
    }

    /// Keeps what is on the chart under a name; returns the template of that name before.
    pub(super) fn save(&mut self, name: &str, layout: &ChartLayout) -> Result<Option<ChartTemplate>, TemplateNameError> {
        let name = self.check_name(name, true)?;
        let kept = ChartLayout { maximised: None, ..layout.clone() }.at_time_of(&ChartLayout::bare());
        let template = ChartTemplate { name: name.clone(), layout: kept };
        self.current = name;
        Ok(self.put(template))
    }

    /// Puts a template among the user's, at the place of the one of its name; returns that one.
    pub(super) fn put(&mut self, template: ChartTemplate) -> Option<ChartTemplate> {
        match self.own.iter_mut().find(|own| own.name == template.name) {
            Some(own) => Some(std::mem::replace(own, template)),
            None => {
                self.own.push(template);
                None
            }
        }
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), TemplateNameError> {
        if from == to.trim() {
            return Ok(());
        }
        let to = self.check_name(to, false)?;
        if let Some(own) = self.own.iter_mut().find(|own| own.name == from) {
            own.name.clone_from(&to);
        }
        for name in [&mut self.default_name, &mut self.current] {
            if name == from {
                name.clone_from(&to);
            }
        }
        Ok(())
    }

    /// Removes one of the user's templates and returns it.
    pub(super) fn delete(&mut self, name: &str) -> Option<ChartTemplate> {
        let position = self.own.iter().position(|own| own.name == name)?;
        Some(self.own.remove(position))
    }

    pub(super) fn set_default(&mut self, name: Option<&str>) {
        self.default_name = name.unwrap_or_default().to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::chart::{RangeChoice, SeriesLayout};

    #[test]
    fn the_built_in_templates_show_what_they_are_called() {
        let templates = Templates::default();
        let names: Vec<String> = templates.names().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Price and volume", "Chinese classic", "Momentum"]);
        let classic = &templates.get("Chinese classic").expect("a template").layout;
        assert_eq!(classic.overlays.iter().map(SeriesLayout::name).collect::<Vec<_>>(), ["ma5", "ma10", "ma20", "ma60"]);
        assert_eq!(classic.panes.iter().map(|pane| (pane.id.as_str(), pane.lines.len())).collect::<Vec<_>>(), [("macd", 3), ("kdj", 3)]);
        // Every column of theirs exists.
        let set = crate::feature::FeatureSet::by_name(FIRST_SET).expect("a set");
        for source in templates.all().flat_map(|(template, _)| template.layout.sources()) {
            assert!(set.definition(source.label()).is_some(), "{source:?}");
        }
    }

    #[test]
    fn applying_keeps_the_range_and_gives_new_ids() {
        let mut templates = Templates::default();
        let layout = ChartLayout { range: RangeChoice::FiveYears, calendar_time: true, ..ChartLayout::default() };
        let applied = templates.apply("Momentum", &layout).expect("a template");
        assert_eq!((applied.range, applied.calendar_time), (RangeChoice::FiveYears, true));
        assert!(applied.lines().all(|line| line.id.0 > layout.last_id));
        assert_eq!(templates.current(&applied), Some(("Momentum", true)));
        let mut changed = applied.clone();
        changed.show_volume = false;
        assert_eq!(templates.current(&changed), Some(("Momentum", false)));
        assert!(templates.apply("Nothing", &layout).is_none());
    }

    #[test]
    fn names_are_the_users_own_and_built_in_ones_are_not() {
        let mut templates = Templates::default();
        let layout = ChartLayout::default();
        assert_eq!(templates.save(" Mine ", &layout), Ok(None));
        assert_eq!(templates.save("momentum", &layout), Err(TemplateNameError::BuiltIn("momentum".to_owned())));
        assert_eq!(templates.save("  ", &layout), Err(TemplateNameError::Empty));
        assert_eq!(templates.save("Mine", &ChartLayout::bare()).map(|before| before.map(|before| before.layout)), Ok(Some(layout.clone())));
        assert_eq!(templates.save("Other", &layout), Ok(None));
        assert_eq!(templates.rename("Other", "Mine"), Err(TemplateNameError::Taken("Mine".to_owned())));
        templates.set_default(Some("Other"));
        assert_eq!(templates.rename("Other", "Best"), Ok(()));
        assert_eq!((templates.default_name(), templates.current(&layout)), (Some("Best"), Some(("Best", true))));
        let deleted = templates.delete("Best").expect("a template");
        assert_eq!(templates.delete("Momentum"), None);
        assert_eq!(templates.default_name(), None);
        templates.put(deleted);
        assert_eq!(templates.default_name(), Some("Best"), "what was brought back is what it was");
    }
}
