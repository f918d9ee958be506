use super::*;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

fn keeps(check: &str, path: &str) -> bool {
    Rules { check, folder: Path::new(""), changes_tests: false }.keeps(path)
}

#[test]
fn tests_and_what_the_check_names_are_kept() {
    for path in [
        "test_price.py",
        "price_test.go",
        "price.test.js",
        "price.spec.ts",
        "PriceTest.java",
        "tests/data.json",
        "src/__tests__/price.js",
        "conftest.py",
        "package.json",
        "Makefile",
        "Cargo.toml",
        "jest.config.js",
        "spec/price.rb",
        "check.sh",
        ".git/config",
        "app/.git/hooks/x",
        ".taskmaster/tasks/tasks.json",
    ] {
        assert!(keeps("true", path), "{path}");
    }
    for path in [
        "price.py",
        "src/contest.py",
        "latest.js",
        "attestation.py",
        "protest/price.py",
        "inspect.py",
    ] {
        assert!(!keeps("true", path), "{path}");
    }
    for (check, path) in [
        ("sh verify.sh", "verify.sh"),
        ("cd app && node ./bin/verify.js --all", "bin/verify.js"),
        ("python3 -m unittest app.verify", "app/verify.py"),
        ("node --import=verify.mjs", "verify.mjs"),
        ("cd app; sh 'verify.sh'", "app/verify.sh"),
    ] {
        assert!(keeps(check, path), "{check}: {path}");
        assert!(!keeps(check, "price.py"), "{check}");
    }
}

#[test]
fn outside_of_the_folder_tests_and_what_the_check_names_from_there_are_kept_too() {
    let check = "sh ../../verify.sh && sh ../till/verify.js ../../..";
    let rules = Rules { check, folder: Path::new("services/shop"), changes_tests: false };
    for path in ["verify.sh", "conftest.py", "services/till/verify.js", "services/shop/test.sh"] {
        assert!(rules.keeps_from_root(path), "{path}");
    }
    for path in ["price.sh", "services/shop/price.sh", "services/till/price.js"] {
        assert!(!rules.keeps_from_root(path), "{path}");
    }
    let rules = Rules { check: "sh ../shop/price.sh", ..rules };
    assert!(rules.keeps("price.sh"));
}

#[test]
fn with_tests_allowed_the_files_of_git_and_ours_are_kept_all_the_same() {
    let rules = Rules { check: "sh verify.sh", folder: Path::new(""), changes_tests: true };
    assert!(!rules.keeps("verify.sh") && !rules.keeps("test_price.py"));
    assert!(rules.keeps(".git/config") && rules.keeps(".taskmaster/config.json"));
}

#[test]
fn what_the_output_and_the_test_name_comes_first() {
    let files = [
        file("README.md", "price\n"),
        file("aside.py", "x = 1\n"),
        file("rates.py", "RATE = 7\n"),
        file("shop.py", "from rates import RATE\n"),
        file("test_shop.py", "from shop import price\n"),
        file("test_other.py", "import aside\n"),
    ];
    let output = "File \"/x/test_shop.py\", line 3, in test\nAssertionError: 1 != 2\n";
    let rules = Rules { check: "python3 -m unittest", folder: Path::new(""), changes_tests: false };
    let shown = choose(&files, rules, output, &[]);
    let paths: Vec<(&str, bool)> =
        shown.iter().map(|it| (it.path.as_str(), it.may_change)).collect();
    assert_eq!(paths[..3], [("test_shop.py", false), ("shop.py", true), ("rates.py", true)]);
    assert!(!paths.iter().any(|it| it.0 == "test_other.py"), "{paths:?}");
    assert!(!paths.iter().any(|it| it.0 == "README.md"), "{paths:?}");
    let shown = choose(&files, rules, "error: README.md has no title\n", &[]);
    assert!(shown.iter().any(|it| it.path == "README.md" && it.may_change));
}

#[test]
fn of_a_long_file_the_lines_around_the_named_one_are_shown() {
    let text = (1..=500).map(|it| format!("line {it}\n")).collect::<Vec<_>>().concat();
    let files = [file("long.py", &text)];
    let rules = Rules { check: "true", folder: Path::new(""), changes_tests: false };
    let shown = choose(&files, rules, "  File \"long.py\", line 300, in f\n", &[]);
    let lines = &shown[0].lines;
    assert_eq!(lines.len(), LINES_MAX);
    assert!(lines.contains(&"line 300".to_owned()), "{lines:?}");
    assert_eq!((&*lines[0], shown[0].is_whole), (&*format!("line {}", shown[0].first), false));
    let shown = choose(&files, rules, "long.py: something\n", &[]);
    assert_eq!(shown[0].lines.len(), LINES_MAX);
}
