//! A thousand ends: at named points and at any time, over everything that writes.

use super::life::Life;
use super::{runs, seed};
use samovar::cache::{Cache, CacheOptions, Folders, Limits};
use samovar::fault::KILL_POINTS;
use samovar::market::SystemClock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the process that evicts finds its cache.
pub const EVICT_IN: &str = "SAMOVAR_FAULT_EVICT_IN";

/// Steps of one cache before another one is begun.
const STEPS: usize = 14;

/// Does something only in the process that the test below starts for it.
#[test]
fn an_eviction_in_a_process_of_its_own() {
    let Ok(folder) = std::env::var(EVICT_IN) else { return };
    let (cache, _) = Cache::open(CacheOptions::new(Folders::new(folder), 1_000_000, Arc::new(SystemClock))).expect("cache");
    let used = cache.budget_status().expect("status").used_bytes;
    cache.set_limits(Limits { disk_budget_bytes: (used / 2).max(1), free_reserve_bytes: 0 });
    cache.make_room(0, &|_| false).expect("room");
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "kill points are not in releases")]
fn a_program_ended_anywhere_loses_nothing_and_leaves_nothing_half_done() {
    let wanted = runs(24);
    let (mut kills, mut points): (usize, BTreeMap<&str, usize>) = Default::default();
    let mut next = seed();
    while kills < wanted {
        let mut life = Life::new(next);
        life.live(STEPS.min(wanted - kills + 2));
        kills += life.kills;
        for (point, count) in life.at_points {
            *points.entry(point).or_default() += count;
        }
        if wanted > 100 {
            eprintln!("{kills} of {wanted} after seed {next}");
        }
        next += 1;
    }
    let by_name: usize = points.values().sum();
    eprintln!("{kills} ends over {} caches (seeds {}…{}), {by_name} of them at named points: {points:?}", next - seed(), seed(), next - 1);
    if wanted >= 1_000 {
        let missed: Vec<&&str> = KILL_POINTS.iter().filter(|point| !points.contains_key(**point)).collect();
        assert!(missed.is_empty(), "never ended at {missed:?}");
    }
}
