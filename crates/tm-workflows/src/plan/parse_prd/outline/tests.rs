use super::*;

#[test]
fn every_title_is_bound_to_its_part() {
    let schema = schema(&[1, 2, 2]);
    let parts = schema["properties"]["tasks"]["prefixItems"].as_array().unwrap();
    let parts: Vec<_> = parts.iter().map(|it| it["properties"]["part"]["const"].clone()).collect();
    assert_eq!(parts, [1, 2, 2]);
}
