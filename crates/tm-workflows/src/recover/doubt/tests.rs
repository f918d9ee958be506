use std::path::Path;

use super::*;

/// What is doubted of a patch, where a check is `sh check.sh`.
#[track_caller]
fn check((test, code, document): (&str, &str, &str), patch: &str, expected: &str) {
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let files = [file("check.sh", test), file("code.py", code)];
    let rules = Rules { check: "sh check.sh", folder: Path::new(""), changes_tests: false };
    let evidence = Evidence::of(&files, (rules, ""), &[document]);
    let doubt = match evidence.doubt(patch) {
        None => "none".to_owned(),
        Some(Doubt::Values(values)) => values.join(" "),
        Some(Doubt::Size { changed, cases }) => format!("{changed} of {cases}"),
    };
    assert_eq!(doubt, expected, "{patch}");
}

const SUM: (&str, &str, &str) =
    ("self.assertEqual(total(4), 10)", "for number in range(1, limit):", "");
const PRICE: (&str, &str, &str) = (
    "import price\nassert price(2000, True) == 1700",
    "DISCOUNT = 10\nreturn cents - cents * DISCOUNT // 100",
    "Members get 15 percent.",
);

#[test]
fn a_small_change_that_brings_no_value_of_its_own_is_believed() {
    check(SUM, "-in range(1, limit):\n+in range(1, limit + 1):\n", "none");
    check(SUM, "-in range(1, limit):\n+in range(2, limit):\n", "none");
    check(("[ $(sh f) = 7 ]", "", ""), "-{ sum += $1 }\n+{ sum += $7 }\n", "none");
}

#[test]
fn a_value_that_only_the_check_has_is_doubted() {
    check(SUM, "-    return result\n+    return 10\n", "10");
    check(SUM, "+    if limit == 4:\n+        return 10\n", "10 4");
    check(("[ $(sh f) = \"ada zoe\" ]", "", ""), "+echo 'ada zoe'\n", "ada zoe");
    check(("assert clock(1) == '07:05'", "", ""), "+x = 5\n", "5");
    for written in ["1500L", "1500u32", "1500n", "0x5dc", "0x5dcU", "15e2", "1_500", "01500"] {
        let patch = format!("-    return result\n+    return {written};\n");
        check(("assert total(4) == 1500", "", ""), &patch, "1500");
        check((&format!("assert total(4) == {written}"), "", ""), "+    return 1500\n", "1500");
        check(("assert total(4) == 1500", "", written), &patch, "none");
    }
    check(("assert total(4) == 2.5", "", ""), "-    return f\n+    return 2.5f64\n", "2 5");
}

#[test]
fn a_number_from_nowhere_is_doubted_and_one_of_a_document_is_not() {
    check(PRICE, "-DISCOUNT = 10\n+DISCOUNT = 15\n", "none");
    check(PRICE, "-DISCOUNT = 10\n+DISCOUNT = 85\n", "85");
    check(PRICE, "-cents * DISCOUNT // 100\n+cents - 300\n", "300");
    // One that was there before, in other words.
    check(PRICE, "-per_page: \"1700\"\n+per_page: 1700\n", "none");
}

#[test]
fn more_is_changed_than_the_check_looks_at() {
    check(SUM, "-    return result\n+    return limit * 2 + limit\n", "5 of 1");
    check(SUM, "-    if a > b and c:\n-        return limit\n+    return limit\n", "7 of 1");
    let two = "assert total(4) == 10\nassert total(5) == 15\n";
    check((two, "", ""), "-    return result\n+    return limit * 2 + limit\n", "none");
    check(("make all", "", ""), "+    a = b\n+    c = d\n", "6 of 0");
}

#[test]
fn lines_that_only_name_something_are_no_cases() {
    let test = "const { a } = require('node:assert');\nimport 'expect';\n# assert 1 == 2\n";
    check((test, "", ""), "+    a = b + c\n", "5 of 0");
}

#[test]
fn what_is_said_about_a_change_is_no_change() {
    let patch = |path: &str, added: &str| {
        format!("--- a/{path}\n+++ b/{path}\n-in range(1, limit):\n+{added}\n")
    };
    let said = "in range(1, limit + 1):  # Corrected the range, so that it includes the 10";
    check(SUM, &patch("series.py", said), "none");
    check(SUM, &patch("series.py", "in range(1, limit // 10):"), "10");
    check(SUM, &patch("series.js", "in range(1, limit // 10):"), "none");
    // A quotation is none, and what nothing is known of neither.
    check(SUM, &patch("series.py", "say(\"# 10\")"), "10");
    check(SUM, &patch("series", "in range(1, limit + 1):  # to include the 10"), "10");
}
