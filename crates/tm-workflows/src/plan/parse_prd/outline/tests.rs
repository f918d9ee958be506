use super::*;

fn about(part: usize, about: &str) -> (usize, String) {
    (part, about.to_owned())
}

#[test]
fn every_title_is_bound_to_its_part_and_to_what_that_is_about() {
    let schema = schema(&[about(1, "Search"), about(2, "Sync"), about(2, "Sync")]);
    let parts = schema["properties"]["tasks"]["prefixItems"].as_array().unwrap();
    let bound: Vec<_> = parts
        .iter()
        .map(|it| (it["properties"]["part"]["const"].clone(), &it["properties"]["about"]["const"]))
        .collect();
    assert_eq!(
        bound,
        [(json!(1), &json!("Search")), (json!(2), &json!("Sync")), (json!(2), &json!("Sync"))]
    );
}

#[test]
fn what_a_part_is_about_is_its_heading_and_the_first_words_of_its_requirements() {
    let text = "# Notes\n\n## Search\n\n- Every word of a note can be found.\n- Results come in the order of their dates, newest first.\n";
    let prd = Prd::read(text).unwrap();
    let part = Part { units: prd.requirements().map(|it| it.0).collect(), tasks: 1 };
    assert_eq!(
        beginning(&prd, &part),
        "Search: Every word of a note can be found.; Results come in the order of their dates, newest first."
    );
}
