//! Values lie where another parser finds them.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::*;
use crate::json::{Layout, format, tests::any_value};
use proptest::prelude::*;

/// The members of an object, cut by another parser.
struct Members<'a>(Vec<(&'a str, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((key.get(), value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

fn check(part: Part<'_>) {
    let members = serde_json::from_str::<Members>(part.text()).map(|it| it.0);
    let found: Vec<(&str, &str)> = part.members().map(|(key, it)| (key, it.text())).collect();
    assert_eq!(members.unwrap_or_default(), found);
    let elements = serde_json::from_str::<Vec<&RawValue>>(part.text()).unwrap_or_default();
    let elements: Vec<&str> = elements.into_iter().map(RawValue::get).collect();
    assert_eq!(elements, part.elements().map(Part::text).collect::<Vec<_>>());
    part.members().map(|it| it.1).chain(part.elements()).for_each(check);
}

proptest! {
    #[test]
    fn values_lie_where_another_parser_finds_them(value in any_value()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let parsed = Parsed::read(format!(" {text}\n").into()).unwrap();
            prop_assert_eq!(parsed.root().text(), text);
            check(parsed.root());
        }
    }

    #[test]
    fn a_part_comes_out_as_its_text_would(value in any_value(), depth in 0..25_usize) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            // As it is, and as it lies within a file that is laid out already.
            let within = format(&("[".repeat(depth) + &text + &"]".repeat(depth)));
            let parsed = Parsed::read(within.into()).unwrap();
            let innermost = (0..depth).try_fold(parsed.root(), |it, _| it.elements().next()).unwrap();
            for part in [Parsed::of_json(text).root(), innermost] {
                let (mut one, mut other) = (Layout::default(), Layout::default());
                for _ in 0..depth {
                    one.push("[");
                    other.push("[");
                }
                one.push_part(part);
                other.push(part.text());
                for layout in [&mut one, &mut other] {
                    layout.push(",7");
                }
                prop_assert_eq!(one.into_text(), other.into_text());
            }
        }
    }

    #[test]
    fn json_with_one_fault_is_refused_as_another_parser_would(
        value in any_value(),
        place in any::<prop::sample::Index>(),
        fault in "[\\[\\]{}\",:\\\\ \n\t\u{1}\u{7f}é019+.eEutrufalsn-]{0,2}",
        cut in 0..2_usize,
    ) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let mut chars: Vec<char> = text.chars().collect();
            let at = place.index(chars.len());
            chars.splice(at..at + cut, fault.chars());
            let text: String = chars.into_iter().collect();
            let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            for read in [Parsed::read, Parsed::outline] {
                prop_assert_eq!(read(text.clone().into()).is_ok(), is_json, "{}", &text);
            }
        }
    }

    #[test]
    fn what_is_unfolded_is_what_was_read_at_once(value in any_value()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let folded = Parsed::outline(text.clone().into()).unwrap().root().keep().unfold();
            let whole = Parsed::read(text.into()).unwrap();
            let layouts = [folded.part(), whole.root()].map(|it| {
                check(it);
                let mut layout = Layout::default();
                layout.push_part(it);
                layout.into_text()
            });
            prop_assert_eq!(&layouts[0], &layouts[1]);
        }
    }

    #[test]
    fn text_that_is_no_json_is_refused_and_harms_nobody(text in "[\\[\\]{}\",:\\\\ é1.eE+0-]{0,20}") {
        let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Parsed::read(text.clone().into()).is_ok(), is_json);
        let root = Parsed::of_json(text);
        let root = root.root();
        prop_assert!(root.members().count() + root.elements().count() < 40);
    }
}

#[test]
fn numbers_and_words_are_those_of_json() {
    for text in
        ["-", "01", "1.", ".5", "1e", "1e+", "+1", "-a", "tru", "nul", "truee", "1 2", "NaN"]
    {
        assert!(Parsed::read(text.to_owned().into()).is_err(), "{text}");
    }
    for text in ["0", "-0", "10.50", "1E-7", "1e999", "true", "false", "null", r#""\ud800""#] {
        assert_eq!(Parsed::read(text.to_owned().into()).unwrap().root().text(), text);
    }
}

#[test]
fn escapes_end_no_text() {
    let parsed = Parsed::read(r#"{"a\\":"\"]}","b":[1.50,"\\"]}"#.to_owned().into()).unwrap();
    let members: Vec<_> = parsed.root().members().map(|(key, it)| (key, it.text())).collect();
    assert_eq!(members, [(r#""a\\""#, r#""\"]}""#), (r#""b""#, r#"[1.50,"\\"]"#)]);
}
