//! Everything is looked into once.

use super::*;

#[test]
fn results_are_in_the_order_of_the_items() {
    for len in [0, 1, 2, 1000] {
        let items: Vec<usize> = (0..len).collect();
        let seen = AtomicUsize::new(0);
        let doubled = map(&items, |it| {
            seen.fetch_add(1, Ordering::Relaxed);
            it * 2
        });
        assert_eq!(doubled, items.iter().map(|it| it * 2).collect::<Vec<_>>());
        assert_eq!(seen.into_inner(), len);
    }
}

#[test]
fn both_are_made() {
    assert_eq!(both(|| 1, || "two"), (1, "two"));
}
