use super::*;

#[test]
fn a_page_of_an_archive_is_known_by_its_path() {
    #[track_caller]
    fn check(path: &str, expected: Option<(&str, &str)>) {
        assert_eq!(page_of(path), expected, "{path}");
    }
    check("db.json#hooks/usestate", Some(("db.json", "hooks/usestate")));
    check("react/db.json#a#b", Some(("react/db.json", "a#b")));
    check("react/mydb.json#a", None);
    check("react/db.json", None);
    check("wiki.zim#A/Rye", Some(("wiki.zim", "A/Rye")));
    check("c#/My.Wiki.ZIM#x.zim#y", Some(("c#/My.Wiki.ZIM", "x.zim#y")));
    check("wiki.zim/#a", None);
    check("wiki.zimaa#a", None);
    check(".zim#a", None);
}
