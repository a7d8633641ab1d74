//! A user's own sets through the worker: watched, saved, deleted, tried, and what a change of one makes outdated.

use super::fixture::Fixture;
use super::working::{finished, spawn, wait};
use samovar::cache::{EntryKey, EntryState};
use samovar::feature::graph::WarmUp;
use samovar::feature::{self, FeatureSet, SetLibrary};
use samovar::market::Symbol;
use samovar::preheat::Scope;
use samovar::worker::series::SeriesSource;
use samovar::worker::{
    Job, JobEvent, Notice, NoticeLevel, OutdateRequest, PreheatOrder, Preview, PreviewError, PreviewRequest, SetFileChange, SetRefusal,
    Snapshot, Worker, WorkerContext,
};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

const MINE: &str = "name = \"mine\"\n[features]\nratio = \"$close / Mean($close, 5)\"\nfast = \"EMA($close, 7)\"\n";

fn file(fixture: &Fixture, name: &str) -> PathBuf {
    fixture.folder.path().join("sets").join(name)
}

fn write(fixture: &Fixture, name: &str, text: &str) {
    fs::create_dir_all(fixture.folder.path().join("sets")).expect("folder");
    fs::write(file(fixture, name), text).expect("written");
}

fn sets(worker: &Worker, mut good: impl FnMut(&SetLibrary) -> bool) -> Arc<SetLibrary> {
    wait(worker, |event| match event {
        JobEvent::Sets(sets) if good(&sets) => Some(sets),
        _ => None,
    })
}

fn notice(worker: &Worker, words: &str) -> Notice {
    wait(worker, |event| match event {
        JobEvent::Notice(notice) if notice.text.contains(words) => Some(notice),
        _ => None,
    })
}

fn snapshot(worker: &Worker, mut good: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
    wait(worker, |event| match event {
        JobEvent::Snapshot(snapshot) if good(&snapshot) => Some(snapshot),
        _ => None,
    })
}

fn preheat(sets: &[&str]) -> Job {
    let sets = Some(sets.iter().map(|name| (*name).to_owned()).collect());
    Job::Preheat { id: 1, order: Box::new(PreheatOrder { sets, scope: Scope::All, ..PreheatOrder::default() }) }
}

fn watching(fixture: &Fixture) -> Worker {
    let worker = spawn(WorkerContext { snapshots: true, ..fixture.context() });
    snapshot(&worker, |_| true);
    worker
}

#[test]
fn a_set_that_is_written_edited_broken_and_removed_is_followed_and_nothing_else_is_outdated() {
    let fixture = Fixture::new(3, 60);
    let worker = watching(&fixture);
    write(&fixture, "mine.toml", MINE);
    sets(&worker, |sets| sets.get("mine").is_some());
    worker.send(preheat(&["mine", "classic"]));
    assert_eq!(finished(&worker, 1).ok, 3);
    snapshot(&worker, |snapshot| snapshot.entry_states.get(&EntryState::Fresh) == Some(&9));
    // In other words it is the same set.
    write(&fixture, "mine.toml", &format!("# A comment\n{}", MINE.replace("EMA($close, 7)", "EMA( $close , 7 )")));
    sets(&worker, |sets| sets.get("mine").is_some_and(|set| set.source_text().contains("comment")));
    write(&fixture, "mine.toml", &MINE.replace("EMA($close, 7)", "EMA($close, 8)"));
    let told = notice(&worker, "mine was changed");
    assert_eq!(told.text, "The feature set mine was changed: 3 entries of it are outdated");
    let outdated = snapshot(&worker, |snapshot| snapshot.entry_states.contains_key(&EntryState::Outdated));
    assert_eq!(
        outdated.entry_states.iter().map(|(state, count)| (*state, *count)).collect::<Vec<_>>(),
        [(EntryState::Fresh, 6), (EntryState::Outdated, 3)]
    );
    write(&fixture, "mine.toml", &MINE.replace("EMA(", "EMMA("));
    let told = notice(&worker, "cannot be used");
    assert_eq!(told.level, NoticeLevel::Warning);
    assert!(
        told.text.contains("mine.toml, line 4, column ") && told.text.contains("the last good version of mine is used"),
        "{}",
        told.text
    );
    worker.send(preheat(&["mine"]));
    assert_eq!(finished(&worker, 1).ok, 3, "the last good version");
    fs::remove_file(file(&fixture, "mine.toml")).expect("removed");
    notice(&worker, "mine was removed");
    worker.shut_down();
}

#[test]
fn a_folder_of_sets_that_is_removed_and_made_again_is_watched_again() {
    let fixture = Fixture::new(1, 10);
    write(&fixture, "mine.toml", MINE);
    let worker = watching(&fixture);
    let folder = fixture.folder.path().join("sets");
    fs::remove_dir_all(&folder).expect("removed");
    sets(&worker, |sets| sets.get("mine").is_none());
    write(&fixture, "mine.toml", MINE);
    sets(&worker, |sets| sets.get("mine").is_some());
    write(&fixture, "other.toml", &MINE.replace("mine", "other"));
    sets(&worker, |sets| sets.get("other").is_some());
    worker.shut_down();
}

#[test]
fn a_file_broken_while_nobody_looked_gives_what_was_kept_of_it() {
    let fixture = Fixture::new(1, 10);
    write(&fixture, "mine.toml", MINE);
    let worker = watching(&fixture);
    // Kept as soon as it is seen with the window open.
    let copies = fixture.folder.path().join("sets.backups/mine");
    let begun = std::time::Instant::now();
    while fs::read_dir(&copies).map_or(0, Iterator::count) == 0 {
        assert!(begun.elapsed().as_secs() < 60, "no copy was kept");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    worker.shut_down();
    write(&fixture, "mine.toml", "name = \"mine\"\n[features]\nratio = ");
    let worker = spawn(fixture.context());
    let found = sets(&worker, |_| true);
    assert!(found.entry("mine").is_some_and(|entry| entry.is_last_good));
    assert_eq!(found.problems().len(), 1);
    worker.shut_down();
}

fn changed(worker: &Worker) -> Result<SetFileChange, SetRefusal> {
    wait(worker, |event| match event {
        JobEvent::SetSaved(change) | JobEvent::SetDeleted(change) => Some(Ok(change)),
        JobEvent::SetRefused { refusal, .. } => Some(Err(refusal)),
        _ => None,
    })
}

#[test]
fn sets_are_saved_whole_or_not_at_all_and_nothing_is_lost() {
    let fixture = Fixture::new(1, 10);
    let worker = spawn(fixture.context());
    let save = |name: &str, text: &str| {
        worker.send(Job::SaveSet { name: name.to_owned(), text: text.to_owned() });
        changed(&worker)
    };
    let SetRefusal::Mistakes(mistakes) = save("mine", &MINE.replace("Mean", "Maen")).expect_err("mistakes") else { panic!("mistakes") };
    assert_eq!((mistakes[0].line, mistakes[0].suggestion.as_deref()), (3, Some("Mean")));
    assert!(matches!(save("other", MINE), Err(SetRefusal::Failed(reason)) if reason.contains("names it mine")));
    assert!(matches!(save("classic", &MINE.replace("mine", "classic")), Err(SetRefusal::Failed(reason)) if reason.contains("built-in")));
    assert!(!file(&fixture, "mine.toml").exists());
    let first = save("mine", MINE).expect("saved");
    assert_eq!((first.path, first.before, first.copy), (file(&fixture, "mine.toml"), None, None));
    let next = MINE.replace("7", "8");
    let second = save("mine", &next).expect("saved");
    assert_eq!(second.before.as_deref(), Some(MINE));
    assert_eq!(fs::read_to_string(second.copy.expect("kept")).expect("copy"), MINE);
    assert_eq!(fs::read_to_string(file(&fixture, "mine.toml")).expect("file"), next);
    worker.send(Job::DeleteSet { name: "classic".to_owned() });
    assert!(matches!(changed(&worker), Err(SetRefusal::Failed(reason)) if reason.contains("built-in")));
    worker.send(Job::DeleteSet { name: "mine".to_owned() });
    let deleted = changed(&worker).expect("deleted");
    assert!(!file(&fixture, "mine.toml").exists());
    assert_eq!(deleted.before.as_deref(), Some(&*next));
    assert!(deleted.copy.is_some_and(|copy| fs::read_to_string(copy).is_ok_and(|text| text == next)));
    // Undone by saving what it was.
    save("mine", &deleted.before.expect("text")).expect("saved");
    worker.send(preheat(&["mine"]));
    assert_eq!(finished(&worker, 1).ok, 1);
    worker.send(preheat(&["mien"]));
    let refused = wait(&worker, |event| match event {
        JobEvent::Finished { outcome: samovar::worker::JobOutcome::Failed(reason), .. } => Some(reason),
        _ => None,
    });
    assert!(refused.contains("did you mean mine?"), "{refused}");
    worker.shut_down();
}

#[test]
fn what_a_change_would_make_outdated_is_told_before_it_is_saved() {
    let fixture = Fixture::new(4, 50);
    write(&fixture, "mine.toml", MINE);
    let worker = spawn(fixture.context());
    worker.send(preheat(&["mine", "classic"]));
    assert_eq!(finished(&worker, 1).ok, 4);
    let ask = |name: &str, text: &str| {
        worker.send(Job::Outdate(OutdateRequest { generation: 7, name: name.to_owned(), text: text.to_owned() }));
        wait(&worker, |event| match event {
            JobEvent::OutdateKnown { request, result } if request.generation == 7 => Some(result.expect("known")),
            _ => None,
        })
    };
    assert!(ask("mine", &format!("# other words\n{MINE}")).is_nothing());
    let text = MINE.replace("EMA($close, 7)", "EMA($close, 8)").replace("[features]", "[features]\nspan = \"$high - $low\"");
    let found = ask("mine", &text);
    assert_eq!(
        (found.added.as_slice(), found.changed.as_slice(), found.unchanged),
        (&["span".to_owned()][..], &["fast".to_owned()][..], 1)
    );
    assert_eq!((found.entries, found.symbols, found.rows), (4, 4, 200));
    assert!(found.size_bytes > 0 && found.seconds.is_some_and(|seconds| seconds > 0.0 && seconds < 60.0));
    let removed = ask("mine", &MINE.replace("fast = \"EMA($close, 7)\"\n", ""));
    assert_eq!((removed.removed.as_slice(), removed.entries), (&["fast".to_owned()][..], 4));
    let rounded = ask("mine", &format!("precision = \"f32\"\n{MINE}"));
    assert_eq!((rounded.changed.len(), rounded.unchanged, rounded.entries), (2, 0, 4));
    let wrong = ask("mine", &MINE.replace("Mean", "Maen"));
    assert_eq!((wrong.mistakes.len(), wrong.entries), (1, 0));
    let new = ask("other", &MINE.replace("mine", "other"));
    assert_eq!((new.added.len(), new.entries), (2, 0));
    worker.shut_down();
}

fn request(generation: u64, symbol: &str, formulas: &[(&str, &str)]) -> PreviewRequest {
    PreviewRequest {
        generation,
        symbol: Symbol::new(symbol),
        formulas: formulas.iter().map(|(name, formula)| ((*name).to_owned(), (*formula).to_owned())).collect(),
        helpers: vec![("mid".to_owned(), "($high + $low) / 2".to_owned())],
        warm_up: WarmUp::Strict,
    }
}

fn previewed(worker: &Worker, wanted: u64) -> Result<Preview, PreviewError> {
    wait(worker, |event| match event {
        JobEvent::Previewed { request, result } if request.generation == wanted => Some(result),
        _ => None,
    })
}

#[test]
fn formulas_are_tried_on_a_symbol_and_mistakes_told_where_they_are() {
    let fixture = Fixture::new(2, 80);
    let worker = spawn(fixture.context());
    let formulas = [("a", "Mean(mid, 3)"), ("b", "Maen($close, 3)"), ("c", "a - Ref(a, 1)"), ("d", "b + 1")];
    worker.send(Job::Preview(request(1, "S0000", &formulas)));
    assert_eq!(previewed(&worker, 1).expect_err("no bars"), PreviewError::NotCached);
    worker.send(Job::Preheat { id: 1, order: Box::new(PreheatOrder { scope: Scope::BarsOnly, ..PreheatOrder::default() }) });
    finished(&worker, 1);
    worker.send(Job::Preview(request(2, "S0000", &formulas)));
    let preview = previewed(&worker, 2).expect("values");
    assert_eq!(preview.figures.iter().map(|figures| &*figures.name).collect::<Vec<_>>(), ["a", "c"]);
    let bars = fixture.cache.read_from_disk(&EntryKey::bars(&fixture.id(), &Symbol::new("S0000"))).expect("bars");
    let whole =
        FeatureSet::of_formulas("x", WarmUp::Strict, &[("a", "Mean(($high + $low) / 2, 3)"), ("c", "a - Ref(a, 1)")]).expect("a set");
    let expected = feature::compute(&whole, bars.content.bars());
    for (name, expected) in expected.names.iter().zip(&expected.columns) {
        let found = preview.data.series(&SeriesSource::column("preview", &**name)).expect("a column");
        let same = |row: usize, expected: f64| found.at(row).map_or(expected.is_nan(), |value| value.to_bits() == expected.to_bits());
        assert!(expected.iter().enumerate().all(|(row, expected)| same(row, *expected)), "{name}");
    }
    assert_eq!(preview.figures.iter().map(|figures| figures.nulls).collect::<Vec<_>>(), [2, 3]);
    let told: Vec<_> = preview.mistakes.iter().map(|mistake| (mistake.formula.as_str(), mistake.span.clone())).collect();
    assert_eq!(told[0], ("b", 0..4));
    assert_eq!(preview.mistakes[0].suggestion.as_deref(), Some("Mean"));
    assert_eq!(told.last().map(|(formula, _)| *formula), Some("d"), "{:?}", preview.mistakes);
    // Nothing but mistakes still shows the bars.
    worker.send(Job::Preview(request(3, "S0000", &[("a", "")])));
    let preview = previewed(&worker, 3).expect("bars");
    assert_eq!((preview.data.bars.len(), preview.figures.len(), preview.mistakes.len()), (80, 0, 1));
    worker.shut_down();
}

#[test]
fn only_the_newest_of_many_previews_has_to_be_answered() {
    let fixture = Fixture::new(1, 500);
    let worker = spawn(fixture.context());
    worker.send(Job::Preheat { id: 1, order: Box::new(PreheatOrder { scope: Scope::BarsOnly, ..PreheatOrder::default() }) });
    finished(&worker, 1);
    let heavy: Vec<(String, String)> = (2..150).map(|window| (format!("f{window}"), format!("Rank(Std(mid, {window}), 100)"))).collect();
    let heavy: Vec<(&str, &str)> = heavy.iter().map(|(name, formula)| (&**name, &**formula)).collect();
    for generation in 1..=60 {
        worker.send(Job::Preview(request(generation, "S0000", &heavy)));
    }
    worker.send(Job::Preview(request(61, "S0000", &[("a", "$close")])));
    let mut answered = 0;
    let last = wait(&worker, |event| match event {
        JobEvent::Previewed { request, result } => {
            answered += 1;
            (request.generation == 61).then_some(result)
        }
        _ => None,
    });
    assert_eq!(last.expect("values").figures.len(), 1);
    assert!(answered < 60, "{answered}");
    worker.shut_down();
}
