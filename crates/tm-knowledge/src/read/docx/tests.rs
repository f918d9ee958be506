use std::io::Write as _;

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::read::{Kind, Readable, read};

const STYLES: &str = r#"<w:styles xmlns:w="w"><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/>
    </w:style><w:style w:styleId="Titel"><w:name w:val="Title"/></w:style>
    <w:style w:styleId="Aufzhlung"><w:name w:val="List Bullet"/></w:style></w:styles>"#;
const CORE: &str = r#"<c:coreProperties xmlns:c="c" xmlns:dc="dc"><dc:creator>Ada</dc:creator>
    <dc:title>Ovens &amp; care</dc:title></c:coreProperties>"#;

/// A document with this body.
fn docx(body: &str) -> Vec<u8> {
    let body = format!(
        r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#
    );
    archive(&[
        ("word/document.xml", body.as_bytes()),
        ("word/styles.xml", STYLES.as_bytes()),
        ("docProps/core.xml", CORE.as_bytes()),
    ])
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read_docx(bytes: Vec<u8>) -> Result<Readable, Unreadable> {
    read(Kind::Docx, "ovens.docx", bytes)
}

#[test]
fn a_word_document_is_read_as_its_reader_sees_it() {
    let body = r#"
        <w:p><w:pPr><w:pStyle w:val="Titel"/></w:pPr><w:r><w:t>Ovens</w:t></w:r></w:p>
        <w:p><w:pPr><w:pStyle w:val="berschrift2"/></w:pPr><w:r><w:t>Heating</w:t></w:r></w:p>
        <w:p><w:r><w:t xml:space="preserve">Heat </w:t></w:r><w:r><w:t>slowly &amp; w&#233;ll</w:t></w:r>
            <w:del><w:r><w:delText>never</w:delText></w:r></w:del><w:r><w:tab/><w:t>today.</w:t></w:r></w:p>
        <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>One</w:t></w:r></w:p>
        <w:p><w:pPr><w:pStyle w:val="Aufzhlung"/></w:pPr><w:r><w:t>Two</w:t></w:r></w:p>
        <w:p/>
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Bread</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Hours</w:t></w:r></w:p></w:tc></w:tr>
            <w:tr><w:tc><w:p><w:r><w:t>Rye</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>2</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        <w:p><w:r><w:t>Done.</w:t></w:r></w:p>"#;
    let read = read_docx(docx(body)).unwrap();
    assert_eq!(read.title, "Ovens & care");
    assert_eq!(
        read.text,
        "# Ovens\n\n## Heating\n\nHeat slowly & wéll today.\n\n- One\n\n- Two\n\n| Bread | Hours |\n| --- | --- |\n\
         | Rye | 2 |\n\nDone.\n\n"
    );
}

#[test]
fn what_is_no_word_document_is_refused() {
    let refused = |bytes| read_docx(bytes).unwrap_err();
    assert!(matches!(refused(b"text".to_vec()), Unreadable::NotDocx(_)));
    assert!(matches!(refused(archive(&[("a.txt", b"a")])), Unreadable::NotDocx(_)));
    assert!(matches!(
        refused(archive(&[("word/document.xml", b"<a></b>")])),
        Unreadable::NotDocx(_)
    ));
    assert!(matches!(refused(archive(&[("word/document.xml", b"\xff")])), Unreadable::NotDocx(_)));
    assert_eq!(refused(docx("<w:p/>")), Unreadable::Empty);
}

#[test]
fn an_archive_that_was_made_to_do_harm_is_refused() {
    let bomb = vec![b' '; usize::try_from(LARGEST_BYTES).unwrap() + 1];
    let packed = archive(&[("word/document.xml", &bomb)]);
    assert!(packed.len() < 100_000);
    assert_eq!(read_docx(packed), Err(Unreadable::TooLarge));
    // References that grow when they are resolved are not known.
    let lines = r#"<!DOCTYPE a [<!ENTITY b "bread bread"><!ENTITY c "&b;&b;&b;">]>"#;
    let body = format!("{lines}<a><p><t>Only &c; this.</t></p></a>");
    let read = read_docx(archive(&[("word/document.xml", body.as_bytes())])).unwrap();
    assert_eq!(read.text, "Only this.\n\n");
    // Nesting costs neither stack nor time.
    let deep = format!(
        "{}<w:p><w:r><w:t>deep</w:t></w:r></w:p>{}",
        "<w:tbl>".repeat(100_000),
        "</w:tbl>".repeat(100_000)
    );
    assert!(read_docx(docx(&deep)).unwrap().text.contains("deep"));
}

proptest! {
    #[test]
    fn a_damaged_document_is_text_or_an_error(at in 0_usize..900, byte: u8) {
        let mut file = docx("<w:p><w:r><w:t>Heat slowly.</w:t></w:r></w:p>");
        if let Some(it) = file.get_mut(at) {
            *it = byte;
        }
        // Whatever comes of it, nothing panics.
        drop(read_docx(file));
    }
}
