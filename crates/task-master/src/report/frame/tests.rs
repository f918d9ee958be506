use super::over;

#[test]
fn lines_without_room_are_counted() {
    let clean = |rows| over("one\ntwo\nthree\n", "end", rows).replace('\u{1b}', "^");
    assert_eq!(clean(4), "^[?7l^[H^[Kone\n^[Ktwo\n^[Kthree\n^[Jend^[?7h");
    assert_eq!(clean(3), "^[?7l^[H^[Kone\n^[Ktwo\n^[J1 more lines  end^[?7h");
    assert_eq!(clean(0), "^[?7l^[H^[J3 more lines  end^[?7h");
}
