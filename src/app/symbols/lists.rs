//! The user's own lists of symbols and saved filters: made, filled, renamed, deleted; the worker keeps them on disk.
//!
//! Contract: every change is saved at once, and what was deleted can be brought back from the notice that tells of it.

use super::paste::{Pasted, symbols_in};
use super::{ListFilter, StateFilter};
use crate::app::action::Action;
use crate::app::state::{AppState, Dialog, OpenState, View};
use crate::config::{NamedFilter, NamedList, SymbolLists};
use crate::market::Symbol;
use crate::worker::{Job, NoticeLevel};
use crate::{tr, tr_n};
use std::path::PathBuf;

/// Longest text of symbols that is shown as it is.
const LONG_TEXT_BYTES: usize = 4_000;

/// The lists there are.
#[derive(Debug, Clone, Default)]
pub struct ListsState {
    kept: SymbolLists,
}

impl ListsState {
    /// The lists, in the user's order.
    #[must_use]
    pub fn lists(&self) -> &[NamedList] {
        &self.kept.lists
    }

    /// The saved filters, in the user's order.
    #[must_use]
    pub fn filters(&self) -> &[NamedFilter] {
        &self.kept.filters
    }

    /// The list of a name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&NamedList> {
        self.kept.list(name)
    }

    fn list_mut(&mut self, name: &str) -> Option<&mut NamedList> {
        self.kept.lists.iter_mut().find(|list| list.name == name)
    }
}

/// What a form of lists is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListPurpose {
    /// A new list of the symbols in a text.
    New,
    /// The list of this name is called something else.
    Rename(String),
    /// What narrows the list is kept under a name.
    SaveFilter,
}

/// A list or filter that is being named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListForm {
    /// What for.
    pub purpose: ListPurpose,
    /// The name, as typed.
    pub name: String,
    /// The symbols, as typed or pasted.
    pub text: String,
    /// Whether the text is shown as it is: a long one only when that is asked for, because laying it out takes a while.
    pub as_text: bool,
    /// What was found in the text.
    pub found: Pasted,
    /// Whether symbols the source does not have are kept.
    pub keep_unknown: bool,
}

impl ListForm {
    /// Whether it can be done now.
    ///
    /// # Errors
    /// Why it cannot, in a few words.
    pub fn check(&self, lists: &ListsState) -> Result<(), &'static str> {
        let name = self.name.trim();
        let taken = match &self.purpose {
            ListPurpose::New => lists.list(name).is_some(),
            ListPurpose::Rename(from) => name != from && lists.list(name).is_some(),
            ListPurpose::SaveFilter => lists.filters().iter().any(|filter| filter.name == name),
        };
        if name.is_empty() {
            Err(tr!("give it a name"))
        } else if taken {
            Err(tr!("there is one of this name already"))
        } else {
            Ok(())
        }
    }
}

/// Something about lists and saved filters.
#[derive(Debug, Clone)]
pub enum ListsAction {
    /// Show a list alone; all symbols without one.
    Choose(Option<String>),
    /// Narrow the list as a saved filter says.
    ApplyFilter(String),
    /// Ask for the name of a new list of these symbols.
    New(Vec<Symbol>),
    /// Ask for the new name of a list.
    Rename(String),
    /// Ask for the name under which what narrows the list is kept.
    SaveFilter,
    /// The name in the form was changed.
    Name(String),
    /// The symbols in the form were changed.
    Text(String),
    /// Show the symbols as text that can be edited, however long it is.
    EditText,
    /// Whether symbols the source does not have are kept.
    KeepUnknown(bool),
    /// The form is right.
    Done,
    /// Add symbols to a list.
    Add {
        /// Which list.
        list: String,
        /// Which symbols.
        symbols: Vec<Symbol>,
    },
    /// Take symbols from a list.
    Take {
        /// Which list.
        list: String,
        /// Which symbols.
        symbols: Vec<Symbol>,
    },
    /// Delete a list.
    Delete(String),
    /// Bring a list back, as it was and where it was.
    Put(NamedList, usize),
    /// Delete a saved filter.
    DeleteFilter(String),
    /// Bring a saved filter back, where it was.
    PutFilter(NamedFilter, usize),
    /// Preheat every symbol of a list.
    Preheat(String),
    /// Read symbols for a new list from a file.
    Read(PathBuf),
}

impl AppState {
    /// The chosen list, if it is there.
    #[must_use]
    pub fn chosen_list(&self) -> Option<&NamedList> {
        self.lists.list(self.list.narrowed_by().list.as_deref()?)
    }

    /// The lists of the file, at the start.
    pub(in crate::app) fn apply_lists(&mut self, lists: SymbolLists) {
        self.lists.kept = lists;
        // Before the first snapshot nothing is known of symbols: what was in focus would be taken for gone.
        if self.open == OpenState::Ready {
            self.update_list();
        }
    }

    /// A text of symbols was read.
    pub(in crate::app) fn apply_list_read(&mut self, name: String, text: String) {
        self.ask_for_list(name, text);
    }

    fn ask_for_list(&mut self, name: String, text: String) {
        let found = symbols_in(&text, &self.snapshot.rows);
        // Where nothing is known of the source yet, nothing can be wrong.
        let keep_unknown = self.snapshot.rows.is_empty();
        let as_text = text.len() <= LONG_TEXT_BYTES;
        let form = ListForm { purpose: ListPurpose::New, name, text, as_text, found, keep_unknown };
        self.dialog = Some(Dialog::List(Box::new(form)));
    }

    fn ask_for_name(&mut self, purpose: ListPurpose, name: String) {
        let form = ListForm { purpose, name, text: String::new(), as_text: true, found: Pasted::default(), keep_unknown: false };
        self.dialog = Some(Dialog::List(Box::new(form)));
    }

    /// Everything is saved after each change.
    fn save_lists(&self) -> Vec<Job> {
        vec![Job::SaveLists(Box::new(self.lists.kept.clone()))]
    }

    pub(in crate::app) fn change_lists(&mut self, action: ListsAction) -> Vec<Job> {
        match action {
            ListsAction::Choose(name) => {
                self.list.filter.list = name;
                self.update_list();
                return self.load_focus_if_new();
            }
            ListsAction::ApplyFilter(name) => {
                let Some(filter) = self.lists.filters().iter().find(|filter| filter.name == name) else { return Vec::new() };
                let filter = ListFilter::from(filter);
                return self.narrow(filter);
            }
            ListsAction::New(symbols) => {
                let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
                self.ask_for_list(String::new(), names.join("\n"));
            }
            ListsAction::Rename(name) => self.ask_for_name(ListPurpose::Rename(name.clone()), name),
            ListsAction::SaveFilter => {
                let filter = self.list.narrowed_by();
                let words = filter.chips.iter().map(|chip| StateFilter::word(*chip));
                let parts: Vec<&str> = filter.list.as_deref().into_iter().chain([filter.text.trim()]).chain(words).collect();
                let name = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
                self.ask_for_name(ListPurpose::SaveFilter, name);
            }
            ListsAction::Name(text) => {
                if let Some(Dialog::List(form)) = &mut self.dialog {
                    form.name = text;
                }
            }
            ListsAction::Text(text) => {
                if let Some(Dialog::List(form)) = &mut self.dialog {
                    form.found = symbols_in(&text, &self.snapshot.rows);
                    // Pasted, not typed.
                    form.as_text = text.len() <= form.text.len() + LONG_TEXT_BYTES;
                    form.text = text;
                }
            }
            ListsAction::EditText => {
                if let Some(Dialog::List(form)) = &mut self.dialog {
                    form.as_text = true;
                }
            }
            ListsAction::KeepUnknown(keep) => {
                if let Some(Dialog::List(form)) = &mut self.dialog {
                    form.keep_unknown = keep;
                }
            }
            ListsAction::Done => return self.finish_list_form(),
            ListsAction::Add { list, symbols } => return self.add_to_list(&list, &symbols),
            ListsAction::Take { list, symbols } => return self.take_from_list(&list, &symbols),
            ListsAction::Delete(name) => return self.delete_list(&name),
            ListsAction::Put(list, place) => {
                let lists = &mut self.lists.kept.lists;
                lists.retain(|other| other.name != list.name);
                lists.insert(place.min(lists.len()), list);
                self.update_list();
                return self.save_lists();
            }
            ListsAction::DeleteFilter(name) => {
                let filters = &mut self.lists.kept.filters;
                let Some(place) = filters.iter().position(|filter| filter.name == name) else { return Vec::new() };
                let undo = Action::Lists(ListsAction::PutFilter(filters.remove(place), place));
                self.notices.offer(NoticeLevel::Success, tr!("Deleted the filter {name}", name = name), undo);
                return self.save_lists();
            }
            ListsAction::PutFilter(filter, place) => {
                let filters = &mut self.lists.kept.filters;
                filters.retain(|other| other.name != filter.name);
                filters.insert(place.min(filters.len()), filter);
                return self.save_lists();
            }
            ListsAction::Preheat(name) => {
                let Some(list) = self.lists.list(&name) else { return Vec::new() };
                let symbols: Vec<Symbol> = list.symbols.iter().map(Symbol::new).collect();
                if symbols.is_empty() {
                    self.notices.warn(tr!("The list {name} has no symbols", name = name));
                    return Vec::new();
                }
                return vec![self.preheat_named(tr!("Preheat {name}", name = name), symbols)];
            }
            ListsAction::Read(path) => return vec![Job::ReadList(path)],
        }
        Vec::new()
    }

    /// Narrows the list to exactly this and shows it.
    pub(in crate::app) fn narrow(&mut self, filter: ListFilter) -> Vec<Job> {
        self.list.show_all();
        self.list.filter = filter;
        self.view = View::Symbols;
        self.update_list();
        self.load_focus_if_new()
    }

    fn finish_list_form(&mut self) -> Vec<Job> {
        let Some(Dialog::List(form)) = &self.dialog else { return Vec::new() };
        if form.check(&self.lists).is_err() {
            return Vec::new();
        }
        let form = form.clone();
        let name = form.name.trim().to_owned();
        self.dialog = None;
        match &form.purpose {
            ListPurpose::New => {
                let symbols = form.found.kept(form.keep_unknown);
                let count = symbols.len() as u64;
                self.lists.kept.lists.push(NamedList { name: name.clone(), symbols });
                let text = tr_n!(count, "Made the list {name} of {count} symbol", "Made the list {name} of {count} symbols", name = name);
                let show = Action::Lists(ListsAction::Choose(Some(name)));
                self.notices.suggest(NoticeLevel::Success, text, tr!("Show it"), show);
            }
            ListPurpose::Rename(from) => {
                if let Some(list) = self.lists.list_mut(from) {
                    list.name.clone_from(&name);
                }
                // What was about the list stays about it.
                for filter in &mut self.lists.kept.filters {
                    if filter.list.as_ref() == Some(from) {
                        filter.list = Some(name.clone());
                    }
                }
                if self.list.filter.list.as_ref() == Some(from) {
                    self.list.filter.list = Some(name);
                }
            }
            ListPurpose::SaveFilter => self.lists.kept.filters.push(self.list.narrowed_by().named(&name)),
        }
        self.save_lists()
    }

    fn add_to_list(&mut self, name: &str, symbols: &[Symbol]) -> Vec<Job> {
        let Some(list) = self.lists.list_mut(name) else { return Vec::new() };
        let known: std::collections::HashSet<String> = list.symbols.iter().cloned().collect();
        let added: Vec<Symbol> = symbols.iter().filter(|symbol| !known.contains(symbol.as_str())).cloned().collect();
        list.symbols.extend(added.iter().map(ToString::to_string));
        if added.is_empty() {
            self.notices.tell(NoticeLevel::Info, tr!("They are on the list {name} already", name = name));
            return Vec::new();
        }
        let text = tr_n!(added.len() as u64, "Added {count} symbol to {name}", "Added {count} symbols to {name}", name = name);
        let undo = Action::Lists(ListsAction::Take { list: name.to_owned(), symbols: added });
        self.notices.offer(NoticeLevel::Success, text, undo);
        self.update_list();
        self.save_lists()
    }

    fn take_from_list(&mut self, name: &str, symbols: &[Symbol]) -> Vec<Job> {
        let Some(list) = self.lists.list_mut(name) else { return Vec::new() };
        let before = list.clone();
        let taken: std::collections::HashSet<&str> = symbols.iter().map(Symbol::as_str).collect();
        list.symbols.retain(|symbol| !taken.contains(symbol.as_str()));
        let count = (before.symbols.len() - list.symbols.len()) as u64;
        if count == 0 {
            return Vec::new();
        }
        let place = self.lists.lists().iter().position(|list| list.name == name).unwrap_or(0);
        let text = tr_n!(count, "Took {count} symbol from {name}", "Took {count} symbols from {name}", name = name);
        self.notices.offer(NoticeLevel::Success, text, Action::Lists(ListsAction::Put(before, place)));
        self.list.select_none();
        self.update_list();
        self.save_lists()
    }

    fn delete_list(&mut self, name: &str) -> Vec<Job> {
        let lists = &mut self.lists.kept.lists;
        let Some(place) = lists.iter().position(|list| list.name == name) else { return Vec::new() };
        let list = lists.remove(place);
        if self.list.filter.list.as_deref() == Some(name) {
            self.list.filter.list = None;
        }
        let undo = Action::Lists(ListsAction::Put(list, place));
        self.notices.offer(NoticeLevel::Success, tr!("Deleted the list {name}", name = name), undo);
        self.update_list();
        self.save_lists()
    }
}
