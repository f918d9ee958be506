use super::*;
use crate::prd::Prd;

/// One leaf for each requirement, and `leaf<what it waits for`, references only when `words` is off.
#[track_caller]
fn check(text: &str, expected: &str) {
    let prd = Prd::read(text).unwrap();
    let division = Division::new(&prd);
    let leaves: Vec<Leaf> =
        division.whole().map(|it| Leaf { title: String::new(), positions: it..it + 1 }).collect();
    let found = dependencies(&division, &leaves);
    let edges = found.after.iter().enumerate().filter(|it| !it.1.is_empty());
    let edges = edges.map(|(from, to)| format!("{from}<{to:?}")).collect::<Vec<_>>().join(" ");
    let dropped: Vec<String> =
        found.dropped.iter().map(|(from, to, kind)| format!("{from}<{to} {kind:?}")).collect();
    assert_eq!(format!("{edges} | {}", dropped.join(", ")), expected);
}

#[test]
fn a_leaf_waits_for_the_chapter_it_refers_to() {
    check(
        "# D\n## 1 Paying\n- asks accounts, see the Accounts\n## 2 Accounts\n- people sign in\n",
        "0<[1] | ",
    );
    check(
        "# D\n## 1 Paying\n- cards (see section 2.1)\n## 2 People\n### 2.1 Sessions\n- expire daily\n",
        "0<[1] | ",
    );
    check(
        "# D\n## Paying\n- see Accounts\n## Accounts\n- one thing\n## Accounts\n- other work\n",
        " | ",
    );
    check("# D\n## Paying\n- as described in Paying\n- other work\n", " | ");
}

#[test]
fn a_leaf_waits_for_the_earlier_one_it_shares_words_with() {
    check(
        "- orders hold a basket\n- logos look good\n- a basket expires with its orders\n",
        "2<[0] | ",
    );
}

#[test]
fn what_would_close_a_circle_is_left_out_and_told() {
    check(
        "# D\n## Orders\n- orders, see Payment\n## Payment\n- payment, see Orders\n",
        "0<[1] | 1<0 Reference",
    );
    check(
        "# D\n## Orders\n- orders keep baskets, see Payment\n## Payment\n- baskets are paid\n## Logo\n- blue paint\n",
        "0<[1] | 1<0 Words",
    );
}

#[test]
fn everything_comes_after_what_it_waits_for() {
    assert_eq!(in_order(&[vec![2], vec![], vec![1], vec![]]), [1, 2, 0, 3]);
    assert_eq!(in_order(&[vec![1], vec![0], vec![]]), [2, 0, 1]);
    assert_eq!(in_order(&[]), Vec::<usize>::new());
}
