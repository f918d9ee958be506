use super::over;

#[test]
fn lines_without_room_are_counted() {
    let clean = |rows| over("one\ntwo\nthree\n", "end", rows).replace('\u{1b}', "^");
    assert_eq!(clean(4), "^[?7l^[Hone^[K\ntwo^[K\nthree^[K\nend^[K^[J^[?7h");
    assert_eq!(clean(3), "^[?7l^[Hone^[K\ntwo^[K\n1 more lines  end^[K^[J^[?7h");
    assert_eq!(clean(0), "^[?7l^[H3 more lines  end^[K^[J^[?7h");
}
