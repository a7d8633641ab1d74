//! Names, ranges and texts of the registry; nulls, lengths and runs of calls.

use super::*;
use std::collections::HashSet;

#[test]
fn names_are_unique() {
    let names: HashSet<_> = functions().iter().map(|function| function.name.clone()).collect();
    assert_eq!(names.len(), functions().len());
}
