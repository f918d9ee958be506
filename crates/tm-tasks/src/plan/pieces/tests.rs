use proptest::prelude::*;

use super::*;
use crate::plan::parts::parts;

const PRD: &str = "\
# Shop
## Cart
- Put bread into the cart
- Take bread out of the cart
- Keep the cart for a week
- Show what the cart costs
## Orders
### Pay
- Pay by card
- Pay by invoice
- Show a receipt
- Send a receipt by mail
### Track
- Show where an order is
- Say when it comes
## Pay
- Pay wages at the end of the month
- Pay taxes
";

fn shown(units: &[usize]) -> String {
    let prd = Prd::read(PRD).unwrap();
    let pieces = Pieces::new(&prd).among(units, &prd);
    let shown: Vec<String> =
        pieces.iter().map(|it| format!("{} {:?}", it.title, it.units)).collect();
    shown.join("; ")
}

#[test]
fn pieces_are_the_chapters_that_a_task_has_something_of() {
    assert_eq!(shown(&[]), "");
    assert_eq!(
        shown(&(0..12).collect::<Vec<_>>()),
        "Cart [0, 1, 2, 3]; Orders [4, 5, 6, 7, 8, 9]; Pay [10, 11]"
    );
    // What is elsewhere in the document comes in its order, and chapters stay apart.
    assert_eq!(
        shown(&[11, 0, 5]),
        "Put bread into the cart [0]; Pay by invoice [5]; Pay taxes [11]"
    );
}

#[test]
fn of_very_many_pieces_those_that_are_small_are_put_together() {
    let section = |it: usize| format!("## Chapter {it}\n- Do thing {it}\n- Undo thing {it}\n");
    let text = format!("# Shop\n{}", (0..100).map(section).collect::<String>());
    let prd = Prd::read(&text).unwrap();
    let pieces = Pieces::new(&prd).among(&(0..200).collect::<Vec<_>>(), &prd);
    assert_eq!(pieces.len(), PIECES_MAX);
    let sizes: Vec<usize> = pieces.iter().map(|it| it.units.len()).collect();
    assert!(sizes.iter().all(|it| (2..=12).contains(it)), "{sizes:?}");
    assert!(pieces[0].title.starts_with("Chapter 0 – Chapter "), "{}", pieces[0].title);
}

fn paragraphs() -> impl Strategy<Value = String> {
    let heading = "#{1,4} (Pay|Cart|Orders) [a-z]{0,3}\n";
    let item = "- (show|keep|send) (bread|cart|receipt) [a-z]{1,5}\n";
    proptest::collection::vec(prop_oneof![1 => heading, 4 => item], 1..120)
        .prop_map(|it| it.concat())
}

proptest! {
    #[test]
    fn every_unit_of_a_task_is_in_exactly_one_of_few_pieces_with_titles(
        text in paragraphs(), tasks in 1_usize..6,
    ) {
        let Ok(prd) = Prd::read(&text) else { return Ok(()) };
        let pieces = Pieces::new(&prd);
        for part in parts(&prd, tasks) {
            let found = pieces.among(&part.units, &prd);
            let mut units: Vec<usize> = found.iter().flat_map(|it| it.units.clone()).collect();
            let mut own = part.units.clone();
            units.sort_unstable();
            own.sort_unstable();
            prop_assert_eq!(units, own);
            prop_assert!(found.len() <= PIECES_MAX, "{} pieces", found.len());
            prop_assert!(found.iter().all(|it| !it.title.is_empty()));
        }
    }
}
