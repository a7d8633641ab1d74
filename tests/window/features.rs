//! The features panel and the formula editor: find, draw, write, mend, save, find again.

use crate::desk::{Desk, warm_desk};
use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use samovar::app::{Command, FeatureKey};
use samovar::worker::series::SeriesSource;

fn open(desk: &mut Desk) {
    desk.shortcut(Command::ShowFeatures);
    desk.wait("the sets", |state| !state.features.all().is_empty());
    desk.settle();
}

/// Names of the features in view, top to bottom.
fn shown(desk: &Desk) -> Vec<String> {
    let nodes = desk.harness.get_all_by_role(Role::CheckBox);
    let names = nodes.filter_map(|node| node.accesskit_node().label()).filter(|label| label.contains(" of "));
    names.map(|label| label.split(" of ").next().unwrap_or_default().to_owned()).collect()
}

fn is_on_chart(desk: &Desk, set: &str, name: &str) -> bool {
    desk.state().chart.layout.contains(&SeriesSource::column(set, name))
}

/// Types letter by letter, as a user does.
fn type_in(desk: &mut Desk, text: &str) {
    for letter in text.chars() {
        desk.write(&letter.to_string());
    }
}

fn formula(desk: &Desk) -> String {
    desk.state().features.editor.as_ref().expect("an editor").draft.formula.clone()
}

#[test]
fn features_are_found_by_typing_and_drawn_with_a_press() {
    let mut desk = warm_desk(2, 80);
    open(&mut desk);
    assert!(shown(&desk).contains(&"ma5".to_owned()));
    desk.fill("Search features", "bias");
    desk.settle();
    assert_eq!(shown(&desk)[0], "bias6");
    assert!(!is_on_chart(&desk, "classic", "bias6"));
    desk.press_and_settle("bias6 of classic");
    assert!(is_on_chart(&desk, "classic", "bias6"));
    desk.press_and_settle("bias6 of classic");
    assert!(!is_on_chart(&desk, "classic", "bias6"));
    desk.fill("Search features", "qqqq");
    desk.settle();
    desk.assert_sees("No feature answers “qqqq”");
    desk.press_and_settle("Clear the search");
    assert!(shown(&desk).len() > 10);
}

#[test]
fn only_the_lines_in_view_are_built() {
    let mut desk = warm_desk(1, 80);
    open(&mut desk);
    desk.press_and_settle("Functions");
    let signatures =
        desk.harness.get_all_by_role(Role::Button).filter(|node| node.accesskit_node().label().is_some_and(|label| label.ends_with(')')));
    assert!((10..40).contains(&signatures.count()));
}

#[test]
fn the_keyboard_walks_the_list_draws_and_opens() {
    let mut desk = warm_desk(1, 80);
    desk.shortcut(Command::SearchFeatures);
    desk.wait("the sets", |state| !state.features.all().is_empty());
    desk.settle();
    desk.write("kdj");
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.settle();
    assert_eq!(desk.focused_label().as_deref(), Some("kdj_k of classic"));
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.key(Modifiers::NONE, Key::Space);
    assert!(is_on_chart(&desk, "classic", "kdj_j"), "{:?}", desk.focused_label());
    desk.key(Modifiers::NONE, Key::Enter);
    assert!(!is_on_chart(&desk, "classic", "kdj_j"));
    desk.key(Modifiers::NONE, Key::ArrowRight);
    desk.settle();
    desk.assert_sees("KDJ");
    desk.wait_text("Nulls");
    desk.key(Modifiers::NONE, Key::ArrowLeft);
    desk.settle();
    desk.assert_no("Nulls");
    // The list of symbols did not walk along.
    assert_eq!(desk.focus(), "S000");
}

#[test]
fn favourites_stand_on_top_and_stay_over_a_restart() {
    let mut desk = warm_desk(1, 80);
    open(&mut desk);
    desk.press_and_settle("Star ma20 of classic");
    assert_eq!(shown(&desk)[0], "ma20");
    desk.assert_sees("Favourites");
    let mut desk = desk.restart();
    desk.wait("the sets", |state| !state.features.all().is_empty());
    desk.settle();
    assert_eq!(shown(&desk)[0], "ma20");
    desk.press_and_settle("Unstar ma20 of classic");
    desk.assert_no("Favourites");
}

#[test]
fn a_mistake_is_told_where_it_is_and_mended_by_a_key() {
    let mut desk = warm_desk(1, 80);
    desk.shortcut(Command::NewFormula);
    desk.settle();
    type_in(&mut desk, "Maen($close, 20)");
    let editor = desk.state().features.editor.clone().expect("an editor");
    assert_eq!(editor.mistakes[0].span, 0..4);
    desk.assert_sees("did you mean Mean?");
    desk.key(Modifiers::COMMAND, Key::Period);
    assert_eq!(formula(&desk), "Mean($close, 20)");
    desk.assert_no("did you mean");
    // Undo is the text's.
    desk.key(Modifiers::COMMAND, Key::Z);
    desk.settle();
    assert_eq!(formula(&desk), "Maen($close, 20)");
}

#[test]
fn typing_goes_on_behind_what_was_mended() {
    let mut desk = warm_desk(1, 80);
    desk.shortcut(Command::NewFormula);
    desk.settle();
    type_in(&mut desk, "1 + $clse");
    desk.key(Modifiers::COMMAND, Key::Period);
    desk.settle();
    type_in(&mut desk, " / 2");
    assert_eq!(formula(&desk), "1 + $close / 2");
}

#[test]
fn what_is_typed_is_completed_by_keys_and_enter_is_never_stolen() {
    let mut desk = warm_desk(1, 80);
    desk.shortcut(Command::NewFormula);
    desk.settle();
    type_in(&mut desk, "$clo");
    desk.key(Modifiers::NONE, Key::Tab);
    assert_eq!(formula(&desk), "$close");
    desk.key(Modifiers::NONE, Key::Enter);
    assert_eq!(formula(&desk), "$close\n");
    type_in(&mut desk, "+ Mea");
    assert!(desk.harness.get_all_by_role(Role::ListBoxOption).count() > 0);
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();
    assert!(desk.harness.query_all_by_role(Role::ListBoxOption).count() == 0, "closed");
    desk.key(Modifiers::CTRL, Key::Space);
    desk.key(Modifiers::NONE, Key::Enter);
    assert!(formula(&desk).starts_with("$close\n+ Mean("), "{}", formula(&desk));
    // What the function takes is told while one is in it.
    desk.assert_sees("Mean(x, n)");
}

#[test]
fn a_function_is_put_where_the_cursor_is() {
    let mut desk = warm_desk(1, 80);
    desk.shortcut(Command::NewFormula);
    desk.settle();
    type_in(&mut desk, "1 + ");
    desk.press_and_settle("Functions");
    desk.fill("Search functions", "log1p");
    desk.settle();
    desk.press_and_settle("Log1p(x)");
    assert_eq!(formula(&desk), "1 + Log1p(");
    type_in(&mut desk, "2)");
    assert_eq!(formula(&desk), "1 + Log1p(2)");
}

#[test]
fn unsaved_text_survives_the_panel_and_a_restart_and_discarding_can_be_undone() {
    let mut desk = warm_desk(1, 80);
    desk.shortcut(Command::NewFormula);
    desk.settle();
    type_in(&mut desk, "Mean($close, 7");
    desk.shortcut(Command::ShowFeatures);
    desk.settle();
    desk.shortcut(Command::ShowFeatures);
    desk.settle();
    assert_eq!(formula(&desk), "Mean($close, 7");
    let mut desk = desk.restart();
    desk.settle();
    assert_eq!(formula(&desk), "Mean($close, 7");
    desk.press_and_settle("Close the formula");
    assert!(desk.state().features.editor.is_none());
    desk.press_and_settle("Bring it back");
    assert_eq!(formula(&desk), "Mean($close, 7");
}

#[test]
fn a_feature_is_copied_into_a_set_of_ones_own_and_stands_alone() {
    let mut desk = warm_desk(1, 80);
    open(&mut desk);
    desk.fill("Search features", "macd_dea");
    desk.settle();
    desk.press_and_settle("Show more of macd_dea of classic");
    desk.press_and_settle("Copy to my set… macd_dea");
    assert_eq!(formula(&desk), "EMA((EMA($close, 12) - EMA($close, 26)), 9)");
    let draft = desk.state().features.editor.as_ref().expect("an editor").draft.clone();
    assert_eq!((draft.name.as_str(), draft.set.as_str(), draft.origin), ("macd_dea", "my-set", None::<FeatureKey>));
}

fn wait_preview(desk: &mut Desk) {
    desk.wait("the preview", |state| state.features.editor.as_ref().is_some_and(|editor| editor.preview.is_some() && editor.is_settled()));
    desk.settle();
}

#[test]
fn a_formula_is_tried_while_it_is_typed_and_follows_the_symbol() {
    let mut desk = warm_desk(2, 80);
    desk.shortcut(Command::NewFormula);
    desk.settle();
    type_in(&mut desk, "Mean($close, 20)");
    wait_preview(&mut desk);
    let shown = desk.state().features.editor.as_ref().expect("an editor").preview.clone().expect("a preview");
    assert_eq!((shown.symbol.as_str(), shown.figures().expect("figures").nulls), ("S000", 19));
    desk.assert_sees("On S000, computed in");
    desk.assert_sees("new_formula");
    // A mistake leaves the last good line where it is.
    type_in(&mut desk, " +");
    desk.settle();
    assert!(desk.state().features.editor.as_ref().expect("an editor").preview.is_some());
    desk.key(Modifiers::NONE, Key::Backspace);
    desk.click_row("S001", Modifiers::NONE);
    desk.wait("the preview of the next symbol", |state| {
        state.features.editor.as_ref().is_some_and(|editor| editor.preview.as_ref().is_some_and(|shown| shown.symbol.as_str() == "S001"))
    });
}

#[test]
fn a_formula_is_saved_preheated_changed_and_found_again() {
    let mut desk = warm_desk(3, 80);
    desk.shortcut(Command::NewFormula);
    desk.settle();
    type_in(&mut desk, "Mean($close, 20)");
    desk.fill("Name", "slow");
    wait_preview(&mut desk);
    desk.shortcut(Command::SaveFormula);
    desk.wait_notice("Saved slow to my-set");
    desk.wait("the set", |state| state.sets.get("my-set").is_some());
    desk.settle();
    assert!(is_on_chart(&desk, "my-set", "slow"));
    desk.press("Preheat my-set for 3 symbols");
    desk.wait_idle();

    // Now something is cached that a change would make outdated: it is told before.
    desk.fill("Formula", "Mean($close, 30)");
    wait_preview(&mut desk);
    desk.shortcut(Command::SaveFormula);
    desk.wait_text("3 cached entries of 3 symbols become outdated");
    desk.press("Keep editing");
    desk.settle();
    assert_eq!(
        desk.state().sets.get("my-set").and_then(|set| set.definition("slow")).map(|slow| slow.formula.as_str()),
        Some("Mean($close, 20)")
    );
    desk.shortcut(Command::SaveFormula);
    desk.wait_text("become outdated");
    desk.settle();
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait("the change", |state| {
        state.sets.get("my-set").and_then(|set| set.definition("slow")).is_some_and(|slow| slow.formula == "Mean($close, 30)")
    });

    let mut desk = desk.restart();
    desk.wait("the set", |state| state.sets.get("my-set").is_some());
    desk.settle();
    assert!(is_on_chart(&desk, "my-set", "slow"));
    assert_eq!(shown(&desk)[0], "slow");
    assert_eq!(formula(&desk), "Mean($close, 30)");
    assert!(!desk.state().features.editor.as_ref().expect("an editor").is_unsaved());

    // The version before is kept, and can be brought back.
    desk.press_and_settle("Sets");
    desk.press("Preheat my-set");
    desk.wait_idle();
    desk.wait_text("Show 2 versions of my-set");
    desk.press_and_settle("Show 2 versions of my-set");
    let bring_back = desk.texts().into_iter().find(|text| text.starts_with("Bring back ")).expect("an older version");
    desk.press(&bring_back);
    desk.wait("the formula of before", |state| {
        state.sets.get("my-set").and_then(|set| set.definition("slow")).is_some_and(|slow| slow.formula == "Mean($close, 20)")
    });
}

#[test]
fn deleting_a_feature_or_a_set_can_be_undone() {
    let mut desk = warm_desk(1, 80);
    for (name, text) in [("first", "$close"), ("second", "$open")] {
        desk.shortcut(Command::NewFormula);
        desk.settle();
        desk.fill("Formula", text);
        desk.fill("Name", name);
        desk.shortcut(Command::SaveFormula);
        desk.wait_notice(&format!("Saved {name} to my-set"));
        desk.wait("it", |state| state.sets.get("my-set").is_some_and(|set| set.definition(name).is_some()));
    }
    // Another of the same name would take the place of the first.
    desk.shortcut(Command::NewFormula);
    desk.settle();
    desk.fill("Formula", "$low");
    desk.fill("Name", "first");
    desk.settle();
    desk.assert_sees("my-set has a first already");
    assert!(!desk.is_enabled("Save the formula"));
    desk.press_and_settle("Close the formula");
    desk.dismiss_notices();
    desk.press_and_settle("Show more of first of my-set");
    desk.press("Delete first");
    desk.wait("it to be gone", |state| state.sets.get("my-set").is_some_and(|set| set.definition("first").is_none()));
    desk.press("Undo");
    desk.wait("it to be back", |state| state.sets.get("my-set").is_some_and(|set| set.definition("first").is_some()));
    desk.dismiss_notices();
    desk.press_and_settle("Sets");
    desk.press("Delete my-set");
    desk.wait("the set to be gone", |state| state.sets.get("my-set").is_none());
    desk.press("Undo");
    desk.wait("the set to be back", |state| state.sets.get("my-set").is_some_and(|set| set.definitions().len() == 2));
}

#[test]
fn a_broken_file_is_told_with_line_and_message() {
    let mut desk = warm_desk(1, 80);
    let folder = desk.places.settings_file.parent().expect("a folder").join("sets");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("odd.toml"), "name = \"odd\"\n\n[features]\nx = \"Maen($close, 5)\"\n").expect("written");
    open(&mut desk);
    desk.press_and_settle("Sets");
    desk.wait_text("odd.toml");
    desk.assert_sees("Line 4, column 6");
    desk.assert_sees("did you mean Mean?");
}

#[test]
fn every_control_of_the_panel_has_a_name_and_can_be_reached_by_tab() {
    let mut desk = warm_desk(1, 80);
    desk.shortcut(Command::NewFormula);
    desk.settle();
    type_in(&mut desk, "1 + $close");
    desk.fill("Name", "mine");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..300 {
        desk.key(Modifiers::NONE, Key::Tab);
        seen.extend(desk.focused_label());
    }
    for name in [
        "Formula",
        "Name",
        "Description",
        "Group",
        "Drawn",
        "Saved to",
        "Save the formula",
        "Close the formula",
        "New formula…",
        "ma5 of classic",
    ] {
        assert!(seen.iter().any(|label| label == name), "{name} is not among {seen:?}");
    }
}
