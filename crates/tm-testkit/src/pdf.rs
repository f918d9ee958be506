//! PDF documents, written out, and such as were made to do harm.

use std::io::{self, Write as _};

use flate2::{Compress, Compression, FlushCompress, write::ZlibEncoder};

/// A document with the font `/F`.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// What draws each page.
    pub pages: &'a [&'a str],
    /// What `/F` is.
    pub font: &'a str,
    /// What it says about itself.
    pub info: &'a str,
    /// The rest of the trailer.
    pub trailer: &'a str,
}

impl Default for Document<'_> {
    fn default() -> Self {
        Self {
            pages: &[],
            font: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            info: "<< /Title (Ovens & care) >>",
            trailer: "",
        }
    }
}

/// What draws these lines, from the top of the page.
pub fn lines(lines: &[&str]) -> String {
    let drawn: Vec<String> = lines.iter().map(|it| format!("({it}) Tj 0 -14 Td ")).collect();
    format!("BT /F 12 Tf 72 700 Td {}ET", drawn.concat())
}

impl Document<'_> {
    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let pages: Vec<Vec<u8>> = self.pages.iter().map(|it| stream("", it.as_bytes())).collect();
        self.with_streams(&pages)
    }

    fn with_streams(&self, streams: &[Vec<u8>]) -> Vec<u8> {
        let kids: Vec<String> =
            (0..streams.len()).map(|it| format!("{} 0 R", 5 + 2 * it)).collect();
        let mut objects: Vec<Vec<u8>> = vec![
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            format!("<< /Type /Pages /Count {} /Kids [{}] >>", kids.len(), kids.join(" ")).into(),
            self.font.into(),
            self.info.into(),
        ];
        for (index, stream) in streams.iter().enumerate() {
            let page = format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R \
                 /Resources << /Font << /F 3 0 R >> >> >>",
                6 + 2 * index
            );
            objects.extend([page.into(), stream.clone()]);
        }
        self.file(&objects)
    }

    fn file(&self, objects: &[Vec<u8>]) -> Vec<u8> {
        let mut file = b"%PDF-1.7\n".to_vec();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
        for (index, object) in objects.iter().enumerate() {
            table.extend([format!("{:010} 00000 n \n", file.len())]);
            file.extend(format!("{} 0 obj\n", index + 1).bytes());
            file.extend(object);
            file.extend(b"\nendobj\n");
        }
        let start = file.len();
        let trailer = format!(
            "trailer << /Size {} /Root 1 0 R /Info 4 0 R {} >>\nstartxref\n{start}\n%%EOF\n",
            objects.len() + 1,
            self.trailer
        );
        file.extend(table.bytes().chain(trailer.bytes()));
        file
    }
}

fn stream(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("<< /Length {} {dictionary} >>\nstream\n", bytes.len());
    [head.as_bytes(), bytes, b"\nendstream"].concat()
}

/// A small document whose one page is unpacked to so many megabytes.
pub fn bomb(megabytes: usize) -> io::Result<Vec<u8>> {
    let mut unpacked = vec![0x78, 0x9c];
    let megabyte = vec![b' '; 1 << 20];
    let mut once = Vec::with_capacity(1 << 16);
    // All are alike, and stand on their own.
    let mut compress = Compress::new(Compression::best(), false);
    compress.compress_vec(&megabyte, &mut once, FlushCompress::Full).map_err(io::Error::other)?;
    for _ in 0..megabytes {
        unpacked.extend(&once);
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&unpacked)?;
    let page = stream("/Filter [/FlateDecode /FlateDecode]", &packed.finish()?);
    Ok(Document::default().with_streams(&[page]))
}
