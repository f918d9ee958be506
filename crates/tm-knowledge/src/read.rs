//! Text out of files: what can be read, as what, and under which title.
//!
//! Everything is text in UTF-8 in the end. HTML and Word documents become Markdown without what a
//! reader would not see, PDF documents plain text. What cannot be read is said, never guessed. Start at
//! [`kind`] and [`read_with`].

use std::path::Path;

use htmd::HtmlToMarkdown;

use self::pdf::process::PdfReader;

pub(crate) mod archive;
mod devdocs;
mod docx;
pub mod pdf;
pub(crate) mod zim;

/// What a document is, which decides how it is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Markdown,
    Text,
    Html,
    Docx,
    Pdf,
    Code,
}

/// A document as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    pub title: String,
    pub text: String,
}

/// Why a file is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Unreadable {
    #[error("it is not text in UTF-8")]
    NotText,
    #[error("it has no text")]
    Empty,
    #[error("its elements are nested more than {DEEPEST} deep")]
    TooDeep,
    #[error("it is not HTML: {0}")]
    NotHtml(String),
    #[error("it is no Word document: {0}")]
    NotDocx(String),
    #[error("it is no archive of devdocs: {0}")]
    NotArchive(String),
    #[error("it is no ZIM archive that can be read: {0}")]
    NotZim(String),
    #[error("it is no PDF document that can be read: {0}")]
    NotPdf(String),
    #[error("it is locked with a password; keep a copy without one")]
    Locked,
    #[error("there is no text in it, only pictures; text recognition (OCR) adds it")]
    OnlyPictures,
    #[error("it does not say which letters it shows; text recognition (OCR) adds them")]
    Unlettered,
    #[error("it could not be read: reading it took too long")]
    TooSlow,
    #[error("it could not be read: it took too much memory, or the reader failed")]
    GivenUp,
    #[error("the program that reads it does not start: {0}")]
    NoReader(String),
    #[error("there is more in it than a person can have written")]
    TooLarge,
}

/// A text that is no kind of document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of document: there are markdown, text, html, docx, pdf and code")]
pub struct UnknownKind(pub String);

/// A larger file is no text that a person wrote.
pub(crate) const LARGEST_TEXT_BYTES: u64 = 2_000_000;

/// A document with pictures in it may be larger.
pub(crate) const LARGEST_BYTES: u64 = 50_000_000;

/// Deeper pages were made to do harm: whoever reads them runs out of time or stack.
const DEEPEST: usize = 200;

/// What is in a page beside what it says.
const UNSEEN: &[&str] = &[
    "head", "script", "style", "noscript", "template", "iframe", "object", "embed", "svg",
    "canvas", "nav", "form", "button", "input", "select", "textarea", "audio", "video", "img",
];

/// Elements that are empty, or closed by the next of their kind.
const NEVER_NESTED: &[&str] = &[
    "area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option",
    "p", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];

/// Endings, and the language of what is in such files.
const LANGUAGES: &[(&str, &str)] = &[
    ("bash", "shell"),
    ("c", "c"),
    ("cc", "c++"),
    ("cpp", "c++"),
    ("cs", "c#"),
    ("css", "css"),
    ("dart", "dart"),
    ("ex", "elixir"),
    ("exs", "elixir"),
    ("go", "go"),
    ("h", "c"),
    ("hpp", "c++"),
    ("hs", "haskell"),
    ("java", "java"),
    ("js", "javascript"),
    ("json", "json"),
    ("jsx", "javascript"),
    ("kt", "kotlin"),
    ("lua", "lua"),
    ("mjs", "javascript"),
    ("ml", "ocaml"),
    ("php", "php"),
    ("pl", "perl"),
    ("proto", "protobuf"),
    ("py", "python"),
    ("r", "r"),
    ("rb", "ruby"),
    ("rs", "rust"),
    ("scala", "scala"),
    ("scss", "css"),
    ("sh", "shell"),
    ("sql", "sql"),
    ("svelte", "svelte"),
    ("swift", "swift"),
    ("tf", "terraform"),
    ("toml", "toml"),
    ("ts", "typescript"),
    ("tsx", "typescript"),
    ("vue", "vue"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("zig", "zig"),
];

/// What a file is by its name; none for what is not read.
pub fn kind(path: &Path) -> Option<Kind> {
    let Some(ending) = path.extension() else {
        let name = path.file_name()?.to_str()?;
        let is_text = ["README", "LICENSE", "COPYING", "NOTICE", "CHANGELOG", "CONTRIBUTING"];
        let is_code = ["Makefile", "Dockerfile", "Justfile", "justfile"];
        let text = is_text.contains(&name).then_some(Kind::Text);
        return text.or_else(|| is_code.contains(&name).then_some(Kind::Code));
    };
    match ending.to_str()?.to_ascii_lowercase().as_str() {
        "md" | "markdown" | "mdx" | "mdc" => Some(Kind::Markdown),
        "txt" | "text" | "rst" | "adoc" | "org" | "tex" | "log" => Some(Kind::Text),
        "html" | "htm" | "xhtml" => Some(Kind::Html),
        "docx" => Some(Kind::Docx),
        "pdf" => Some(Kind::Pdf),
        ending => language_of(ending).map(|_| Kind::Code),
    }
}

/// The programming language of a file by its name.
pub fn language(path: &Path) -> Option<&'static str> {
    language_of(&path.extension()?.to_str()?.to_ascii_lowercase())
}

fn language_of(ending: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|(it, _)| *it == ending).map(|(_, language)| *language)
}

/// Reads a file's bytes as `kind`; `name` is the title where the document has none.
pub fn read_with(
    pdf: &PdfReader,
    kind: Kind,
    name: &str,
    bytes: Vec<u8>,
) -> Result<Readable, Unreadable> {
    if kind == Kind::Pdf {
        let (title, text) = pdf.read(&bytes)?;
        return readable(title, name, text);
    }
    read(kind, name, bytes)
}

/// The same where there is nobody to read PDF documents.
pub fn read(kind: Kind, name: &str, bytes: Vec<u8>) -> Result<Readable, Unreadable> {
    if kind == Kind::Pdf {
        return Err(Unreadable::NoReader("there is none here".to_owned()));
    }
    if kind == Kind::Docx {
        let (title, text) = docx::markdown(&bytes)?;
        return readable(title.or_else(|| first_heading(&text)), name, text);
    }
    let text = String::from_utf8(bytes).map_err(|_| Unreadable::NotText)?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    if text.contains('\0') {
        return Err(Unreadable::NotText);
    }
    let (title, text) = match kind {
        Kind::Html => (element(&text, "title"), html(&text)?),
        Kind::Markdown => (first_heading(&text), text),
        Kind::Text | Kind::Code | Kind::Docx | Kind::Pdf => (None, text),
    };
    readable(title, name, text)
}

fn readable(title: Option<String>, name: &str, text: String) -> Result<Readable, Unreadable> {
    if text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    Ok(Readable { title: title.unwrap_or_else(|| name.to_owned()), text })
}

/// What a reader of a page sees, as Markdown.
fn html(page: &str) -> Result<String, Unreadable> {
    // Before it is parsed: that alone takes minutes for a hundred thousand open elements.
    if is_deep(page) {
        return Err(Unreadable::TooDeep);
    }
    let converter = HtmlToMarkdown::builder().skip_tags(UNSEEN.to_vec()).build();
    converter.convert(page).map_err(|error| Unreadable::NotHtml(error.to_string()))
}

/// Whether more elements are open at once than in any page that is read.
fn is_deep(page: &str) -> bool {
    let lower = page.to_ascii_lowercase();
    let mut rest = lower.as_str();
    let mut open: Vec<&str> = Vec::new();
    while let Some((_, tag)) = rest.split_once('<') {
        let after = |end: &str| tag.split_once(end).map_or("", |(_, rest)| rest);
        let (is_end, named) = tag.strip_prefix('/').map_or((false, tag), |it| (true, it));
        let end = named.find(|it: char| !it.is_ascii_alphanumeric() && it != '-');
        let name = named.get(..end.unwrap_or(named.len())).unwrap_or_default();
        rest = match name {
            "" => tag.strip_prefix("!--").map_or(tag, |_| after("-->")),
            "script" if !is_end => after("</script"),
            "style" if !is_end => after("</style"),
            _ => tag,
        };
        if name.is_empty() || NEVER_NESTED.contains(&name) || rest.len() < tag.len() {
            continue;
        }
        if !is_end {
            open.push(name);
        } else if let Some(at) = open.iter().rposition(|it| *it == name) {
            open.truncate(at);
        }
        if open.len() > DEEPEST {
            return true;
        }
    }
    false
}

/// What is in the first element of this name.
fn element(page: &str, name: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find(&format!("<{name}"))?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find('<')?;
    some_words(page.get(start..end)?)
}

fn first_heading(text: &str) -> Option<String> {
    let line = text.lines().find(|it| it.starts_with("# "))?;
    some_words(line.trim_start_matches('#'))
}

/// A text in one line, when it has words.
fn some_words(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Markdown, Self::Text, Self::Html, Self::Docx, Self::Pdf, Self::Code];

    /// Whether a file of this kind is the text itself.
    pub fn is_plain(self) -> bool {
        match self {
            Self::Markdown | Self::Text | Self::Code => true,
            Self::Html | Self::Docx | Self::Pdf => false,
        }
    }

    /// Larger files are not read.
    pub(crate) fn largest_bytes(self) -> u64 {
        match self {
            Self::Markdown | Self::Text | Self::Html | Self::Code => LARGEST_TEXT_BYTES,
            Self::Docx | Self::Pdf => LARGEST_BYTES,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Html => "html",
            Self::Docx => "docx",
            Self::Pdf => "pdf",
            Self::Code => "code",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
