use proptest::prelude::*;

use super::*;

/// The requirements that begin the second and later parts of the whole document.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let prd = Prd::read(text).unwrap();
    let division = Division::new(&prd);
    let cuts = division.cuts(&division.whole());
    let firsts: Vec<&str> = cuts.iter().map(|it| division.text(*it)).collect();
    assert_eq!(firsts, expected);
}

#[test]
fn a_document_is_cut_where_its_outermost_chapters_begin() {
    let chapter = |name: &str| format!("## {name}\n- {name} one\n### Deep\n- {name} two\n");
    let text = ["# Doc\n", &chapter("a"), &chapter("b"), &chapter("c")].concat();
    check(&text, &["b one", "c one"]);
    check("## a\n- a one\n### Deep\n- a two\n- a three\n", &["a two"]);
}

#[test]
fn many_chapters_are_bundled_and_a_list_without_chapters_is_cut_evenly() {
    let chapters: Vec<String> = (0..40).map(|it| format!("## Part {it}\n- does {it}\n")).collect();
    check(
        &chapters.concat(),
        &["does 5", "does 10", "does 15", "does 20", "does 25", "does 30", "does 35"],
    );
    let items: Vec<String> = (0..10).map(|it| format!("- word{it} thing\n")).collect();
    let prd = Prd::read(&items.concat()).unwrap();
    let division = Division::new(&prd);
    assert_eq!(division.cuts(&division.whole()), [4]);
}

#[test]
fn a_small_piece_is_cut_at_a_heading_or_where_neighbours_share_the_least() {
    let text = "- read the barcode with the camera\n- read the barcode by hand\n\
                - print shelf labels\n- print shelf plans\n";
    let prd = Prd::read(text).unwrap();
    let division = Division::new(&prd);
    assert!(division.choices(&(0..4)).contains(&2));
    assert_eq!(division.choices(&(0..2)), [1]);
    assert_eq!(division.choices(&(0..1)), Vec::<usize>::new());
}

#[test]
fn a_change_in_one_chapter_moves_no_cut_of_another() {
    let text = |first: &str| {
        let items: Vec<String> = (0..12).map(|it| format!("- item {it} of many\n")).collect();
        format!("# D\n## A\n{first}\n## B\n{}", items.concat())
    };
    let cuts_of_b = |text: &str| {
        let prd = Prd::read(text).unwrap();
        let division = Division::new(&prd);
        let start = *division.cuts(&division.whole()).last().unwrap();
        let cuts = division.cuts(&(start..division.whole().end));
        cuts.iter().map(|it| it - start).collect::<Vec<_>>()
    };
    assert_eq!(cuts_of_b(&text("- one")), cuts_of_b(&text("- one\n- two\n- three")));
}

#[test]
fn a_piece_is_called_by_its_heading_its_headings_or_its_words() {
    let text = "# D\n## Search\n- finds notes.\n- is fast\n## Sync\n- keeps two machines alike\n";
    let prd = Prd::read(text).unwrap();
    let division = Division::new(&prd);
    let names = [0..2, 2..3, 1..3, 0..1].map(|it| division.name(&it));
    assert_eq!(names, ["Search", "keeps two machines alike", "Search – Sync", "finds notes"]);
}

#[test]
fn a_heading_that_several_sections_have_comes_after_the_one_above_it() {
    let text = "# D\n## 1. Search\n### User Story\n- find notes\n- find words\n## 2. Sync\n\
                ### User Story\n- keep notes alike\n- keep files alike\n## Export\n- write files\n- write notes\n";
    let prd = Prd::read(text).unwrap();
    let division = Division::new(&prd);
    let names = [0..2, 2..4, 4..6].map(|it| division.name(&it));
    assert_eq!(names, ["Search: User Story", "Sync: User Story", "Export"]);
}

proptest! {
    #[test]
    fn pieces_cover_what_is_cut_and_none_is_empty(
        start in 0..5_usize, length in 0..20_usize, cuts in prop::collection::vec(0..30_usize, 0..6)
    ) {
        let range = start..start + length;
        if let Some(pieces) = partition(&range, &cuts) {
            prop_assert!(pieces.len() > 1);
            prop_assert!(pieces.iter().all(|it| !it.is_empty() && it.len() < range.len()));
            let all: Vec<usize> = pieces.into_iter().flatten().collect();
            prop_assert_eq!(all, range.collect::<Vec<_>>());
        }
    }
}
