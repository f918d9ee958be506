use tm_testkit::pdf::{Document, lines};

use super::*;

/// `check("(a) Tj", "a")`: what is drawn from the top of a page, and what is read.
#[track_caller]
fn check(drawn: &str, expected: &str) {
    let page = format!("BT /F 10 Tf 72 700 Td {drawn} ET");
    let document = Document { pages: &[&page], ..Document::default() };
    assert_eq!(text(document.bytes()).map(|it| it.1), Ok(expected.to_owned()), "{drawn}");
}

#[test]
fn spaces_lines_and_paragraphs_are_where_the_gaps_are() {
    check(
        "[(Heat) -300 (the) -300 (o) 40 (v) 40 (en) -300 (slow) 20 (ly)] TJ",
        "Heat the oven slowly",
    );
    check("(Heat) Tj 0 -12 Td (slowly.) Tj 0 -12 Td (Wait.) Tj", "Heat\nslowly.\nWait.");
    check("(Heat) Tj 0 -24 Td (Cool) Tj 0 -12 Td (down) Tj", "Heat\n\nCool\ndown");
    check("(Two) Tj 0 -24 Td (spaced) Tj 0 -24 Td (lines) Tj", "Two\n\nspaced\nlines");
    check("(CO) Tj /F 6 Tf -2 Ts (2) Tj", "CO2");
    check("(a) Tj 300 0 Td (b) Tj", "a b");
    check("(left) Tj 0 -12 Td (end) Tj 300 12 Td (right) Tj", "left\nend\n\nright");
    check("0 1 -1 0 72 400 Tm (up the) Tj ( side) Tj", "up the side");
}

#[test]
fn a_word_that_goes_on_in_the_next_line_is_one_word() {
    check("(slow-) Tj 0 -12 Td (ly) Tj", "slowly");
    check("(ISO-) Tj 0 -12 Td (8859) Tj", "ISO-\n8859");
    check("(1 -) Tj 0 -12 Td (x) Tj", "1 -\nx");
}

#[test]
fn what_is_printed_twice_to_look_bold_is_read_once() {
    check("(Bold) Tj 1 0 0 1 72.3 700 Tm (Bold) Tj", "Bold");
    check("2 Tr (Outlined) Tj", "Outlined");
    check("(no) Tj 1 0 0 1 72 650 Tm (no) Tj", "no\n\nno");
    // What is behind a picture: the page was scanned, and its text recognised.
    check("3 Tr (Recognised) Tj", "Recognised");
}

#[test]
fn a_document_has_its_title_and_its_pages() {
    let pages = [lines(&["One"]), String::new(), lines(&["Three"])];
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let document = Document { pages: &pages, ..Document::default() };
    let title = Some("Ovens & care".to_owned());
    assert_eq!(text(document.bytes()), Ok((title, "One\u{c}\u{c}Three".to_owned())));

    let wide = Document { info: "<< /Title <FEFF00D6006600650 06E> >>", ..document };
    assert_eq!(text(wide.bytes()).unwrap().0.as_deref(), Some("Öfen"));
    assert_eq!(text(Document { info: "<< >>", ..document }.bytes()).unwrap().0, None);
}

#[test]
fn why_a_document_says_nothing_is_told() {
    #[track_caller]
    fn check(document: Vec<u8>, expected: &Unreadable) {
        assert_eq!(text(document).as_ref(), Err(expected));
    }
    let page = lines(&["ABC"]);
    let document = Document { pages: &[&page], ..Document::default() };
    let damaged = broken("it is damaged, or something else");
    check(b"no document at all".to_vec(), &damaged);
    check(document.bytes()[..40].to_vec(), &damaged);

    let picture = Document { pages: &["0 0 100 100 re f"], ..document };
    check(picture.bytes(), &Unreadable::OnlyPictures);
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Type /Encoding \
                /Differences [65 /x1 /x2 /x3] >> >>";
    check(Document { font, ..document }.bytes(), &Unreadable::Unlettered);
    let trailer = format!(
        "/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{0}> /U <{0}> >>",
        "5a".repeat(32)
    );
    check(Document { trailer: &trailer, ..document }.bytes(), &Unreadable::Locked);
}

#[test]
fn a_document_whose_table_is_damaged_is_read_all_the_same() {
    let page = lines(&["Still there"]);
    let whole = Document { pages: &[&page], ..Document::default() }.bytes();
    let table = whole.windows(4).position(|it| it == b"xref").unwrap();
    assert_eq!(text(whole[..table].to_vec()).map(|it| it.1), Ok("Still there".to_owned()));
}
