use super::{put, take_out};

#[test]
fn a_section_comes_and_goes_and_leaves_the_rest() {
    for before in ["", "# Mine\n", "# Mine\n\nText.\n"] {
        let with = put(before, "ours\n");
        assert!(with.starts_with(before) && with.contains("ours\n"), "{with}");
        assert_eq!(put(&with, "ours"), with);
        assert_eq!(take_out(&with).unwrap(), before);
    }
    assert_eq!(take_out("# Mine\n"), None);
}

#[test]
fn what_comes_after_a_section_stays() {
    let with = put("before", "old") + "\nafter\n";
    let renewed = put(&with, "new");
    assert!(renewed.contains("new\n") && !renewed.contains("old"), "{renewed}");
    assert_eq!(take_out(&renewed).unwrap(), "before\n\nafter\n");
}
