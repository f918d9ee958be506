use super::*;

const TEXT: &str = "The oven is heated for two hours before the first bread goes in. Steam is let \
                    in after ten minutes, and the door stays shut until the crust has its colour. \
                    Whoever opens it early loses the steam, and the bread its height. Rye takes \
                    longer than wheat; a loaf of a kilogram takes an hour at the least.";

#[test]
fn a_changed_word_makes_a_near_text_and_another_subject_does_not() {
    let text = Fingerprint::of(TEXT);
    assert!(text.is_near(Fingerprint::of(&TEXT.to_uppercase())));
    assert!(text.is_near(Fingerprint::of(&TEXT.replace("kilogram", "pound"))));
    let other = "Customers order on the page until six in the evening. The list of orders is \
                 printed at four in the morning, one sheet for each shop, with the names.";
    assert!(!text.is_near(Fingerprint::of(other)));
}
