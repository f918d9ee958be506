//! Tests of `memory`.

use super::*;

#[test]
fn the_longest_context_that_fits_is_what_fits() {
    let footprint = Footprint { fixed: 1000, per_token: 10 };
    assert_eq!(footprint.context_tokens(1099), 9);
    assert_eq!(footprint.context_tokens(999), 0);
    assert_eq!(footprint.bytes(9), 1090);
}

#[test]
fn this_machine_has_memory_and_a_core() {
    assert!(free_bytes() > 0);
    assert!(cores() >= 1);
}
