//! An object as an ordered list of members, all of them in their own spelling.
//!
//! What its members mean is not known here.

use std::iter;

use super::{Layout, Parsed, Part, Piece, encode, key_is, write_object};

/// An object, which may be a part of a text that many share.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    object: Piece,
}

impl Record {
    /// Nothing when the text is not an object.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::of(Parsed::read(text.to_owned().into()).ok()?.root())
    }

    /// Nothing when the part is not an object.
    pub(crate) fn of(part: Part<'_>) -> Option<Self> {
        part.is_object().then(|| Self { object: part.keep() })
    }

    pub(crate) fn from_members<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut text = String::new();
        write_object(&mut text, members);
        Self { object: Parsed::of_json(text).root().keep() }
    }

    /// The text of a member. Of duplicates the last one counts.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.part(name).map(Part::text)
    }

    pub(crate) fn part(&self, name: &str) -> Option<Part<'_>> {
        self.object.part().member(name)
    }

    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<str>) {
        self.set_all(&[(name, value.as_ref())]);
    }

    /// Sets members of different names; a text is put together once for all of them.
    pub(crate) fn set_all(&mut self, values: &[(&str, &str)]) {
        let encoded: Vec<String> = values.iter().map(|it| encode(it.0)).collect();
        let mut members: Vec<(&str, &str)> = self.iter().collect();
        for ((name, value), encoded) in iter::zip(values, &encoded) {
            match members.iter_mut().rfind(|it| key_is(it.0, name)) {
                Some(member) => member.1 = value,
                None => members.push((encoded, value)),
            }
        }
        *self = Self::from_members(members);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        *self = Self::from_members(self.iter().filter(|it| !key_is(it.0, name)));
    }

    /// Keys and values as they are spelled.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.object.part().members().map(|(key, value)| (key, value.text()))
    }

    /// The object without a word about its layout: see [`super::format`].
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    pub(crate) fn lay_out(&self, layout: &mut Layout) {
        layout.push_part(self.object.part());
    }

    pub(crate) fn write(&self, out: &mut String) {
        write_object(out, self.iter());
    }
}

impl Default for Record {
    fn default() -> Self {
        Self::from_members([])
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.object.is(&other.object) || self.iter().eq(other.iter())
    }
}

impl Eq for Record {}
