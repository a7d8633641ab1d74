//! Rows of leases: who may write a symbol's entries, with a fencing number that is checked in the commit itself.

use super::Catalog;
use super::entries::Editor;
use crate::cache::entry::{Entry, EntryKey};
use crate::cache::error::CacheError;
use crate::cache::lease::{Fence, Holder, LEASE_US, LeaseLost, Owner};
use crate::market::Symbol;
use crate::source::SourceId;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What was granted, and what is refused because of whom.
pub(in crate::cache) type Answer = (BTreeMap<Symbol, Fence>, Vec<(Symbol, Holder)>);

/// Says which symbols' leases were lost, and to whom.
pub(super) struct Fences<'c, 'g> {
    select: CachedStatement<'c>,
    granted: &'g BTreeMap<Symbol, Fence>,
}

impl<'c, 'g> Fences<'c, 'g> {
    pub(super) fn new(connection: &'c Connection, granted: &'g BTreeMap<Symbol, Fence>) -> rusqlite::Result<Self> {
        Ok(Self { select: connection.prepare_cached("SELECT fence, owner FROM leases WHERE source = ?1 AND symbol = ?2")?, granted })
    }

    /// `None` while the lease holds; otherwise why it does not.
    pub(super) fn lost(&mut self, source: &SourceId, symbol: &Symbol) -> rusqlite::Result<Option<String>> {
        let Some(granted) = self.granted.get(symbol) else {
            return Ok(Some("its lease was never granted".to_owned()));
        };
        let now: Option<(i64, String)> = self.select.query_row([source.as_str(), symbol.as_str()], |row| row.try_into()).optional()?;
        Ok(match now {
            Some((fence, _)) if fence == granted.0 => None,
            Some((_, owner)) => {
                Some(Owner::from_text(&owner).map_or_else(|| "somebody else writes it now".to_owned(), |owner| owner.reason()))
            }
            None => Some("the catalog was rebuilt while it was being preheated; preheat it again".to_owned()),
        })
    }
}

impl Catalog {
    /// Gives leases of symbols to an owner: those that are free, over, or held by the dead; with `by_force` all of them.
    pub(in crate::cache) fn take_leases(
        &self,
        source: &SourceId,
        symbols: BTreeSet<Symbol>,
        owner: &Owner,
        now_us: i64,
        by_force: bool,
    ) -> Result<Answer, CacheError> {
        let (source, owner) = (source.clone(), owner.to_text());
        self.write(move |transaction| {
            let mut select = transaction.prepare_cached("SELECT owner, fence, expires_us FROM leases WHERE source = ?1 AND symbol = ?2")?;
            let mut put = transaction
                .prepare_cached("INSERT OR REPLACE INTO leases (source, symbol, owner, fence, expires_us) VALUES (?1, ?2, ?3, ?4, ?5)")?;
            let mut dead: HashMap<String, bool> = HashMap::new();
            let (mut granted, mut refused) = (BTreeMap::new(), Vec::new());
            for symbol in symbols {
                let names = (source.as_str(), symbol.as_str());
                let now: Option<(String, i64, i64)> = select.query_row(names, |row| row.try_into()).optional()?;
                let (before, fence, expires_us) = now.unwrap_or_default();
                let free = by_force
                    || expires_us <= now_us
                    || *dead.entry(before.clone()).or_insert_with_key(|text| Owner::from_text(text).is_none_or(|owner| owner.is_dead()));
                if free {
                    // Larger than any number given out by a catalog that was lost since, too.
                    let fence = fence.saturating_add(1).max(now_us);
                    put.execute(params![names.0, names.1, owner, fence, now_us + LEASE_US])?;
                    granted.insert(symbol, Fence(fence));
                    continue;
                }
                let in_words = Owner::from_text(&before).map_or_else(|| "somebody".to_owned(), |owner| owner.in_words());
                // The clock was set back since: nobody waits longer than a lease lasts.
                let latest_us = expires_us.min(now_us + LEASE_US);
                if latest_us < expires_us {
                    put.execute(params![names.0, names.1, before, fence, latest_us])?;
                }
                refused.push((symbol, Holder { owner: in_words, expires_us: latest_us }));
            }
            Ok((granted, refused))
        })
    }

    /// Makes leases end at another time; those that were lost meanwhile are returned and stay with who has them.
    pub(in crate::cache) fn renew_leases(
        &self,
        source: &SourceId,
        granted: &BTreeMap<Symbol, Fence>,
        expires_us: i64,
    ) -> Result<Vec<Symbol>, CacheError> {
        let (source, granted) = (source.clone(), granted.clone());
        self.write(move |transaction| {
            let mut update = transaction
                .prepare_cached("UPDATE leases SET expires_us = ?4 WHERE source = ?1 AND symbol = ?2 AND fence = ?3 AND expires_us <> 0")?;
            let mut lost = Vec::new();
            for (symbol, fence) in granted {
                if update.execute(params![source.as_str(), symbol.as_str(), fence.0, expires_us])? == 0 {
                    lost.push(symbol);
                }
            }
            Ok(lost)
        })
    }

    /// Gives leases back. The rows stay: their numbers must not be used again.
    pub(in crate::cache) fn release_leases(&self, source: &SourceId, granted: &BTreeMap<Symbol, Fence>) -> Result<(), CacheError> {
        self.renew_leases(source, granted, 0).map(|_lost| ())
    }

    /// The symbols of a lease that somebody else has taken since.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn lost_leases(&self, source: &SourceId, granted: &BTreeMap<Symbol, Fence>) -> Result<Vec<Symbol>, CacheError> {
        self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let mut fences = Fences::new(&transaction, granted)?;
            let mut lost = Vec::new();
            for symbol in granted.keys() {
                if fences.lost(source, symbol)?.is_some() {
                    lost.push(symbol.clone());
                }
            }
            Ok(lost)
        })
    }

    /// As [`Catalog::put_entries`], but only those whose symbol's lease is still held, which is checked in the same transaction.
    /// Returns the others, which were not written.
    ///
    /// # Errors
    /// When the catalog cannot be written; then none of them is.
    pub fn put_entries_fenced(&self, entries: &[Entry], granted: &BTreeMap<Symbol, Fence>) -> Result<Vec<LeaseLost>, CacheError> {
        let written = entries.iter().map(|entry| (entry.key.clone(), entry.clone())).collect();
        self.write_fenced(written, granted, |editor, entry| {
            if let Some(older) = editor.put_content(entry)? {
                editor.put(&older)?;
            }
            Ok(None)
        })
    }

    /// Does what `write` does for each item whose lease holds; `write` may refuse with a reason.
    fn write_fenced<T: Send + 'static>(
        &self,
        items: Vec<(EntryKey, T)>,
        granted: &BTreeMap<Symbol, Fence>,
        write: impl Fn(&mut Editor<'_>, &T) -> rusqlite::Result<Option<String>> + Send + 'static,
    ) -> Result<Vec<LeaseLost>, CacheError> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let granted = granted.clone();
        self.write(move |transaction| {
            let mut editor = Editor::new(transaction)?;
            let mut fences = Fences::new(transaction, &granted)?;
            let mut lost = Vec::new();
            for (key, item) in items {
                let refused = match fences.lost(&key.source, &key.symbol)? {
                    None => write(&mut editor, &item)?,
                    lost => lost,
                };
                lost.extend(refused.map(|reason| LeaseLost { key, reason }));
            }
            Ok(lost)
        })
    }
}
