//! A knowledge base: the user's own documents, found by their words and what they mean, and cited
//! by their bytes.
//!
//! [`walk`] finds the files of a source, [`read`] makes text of them, [`chunk`] divides the text,
//! [`index`] keeps and finds it. It does not know what is asked: vectors are handed to it, and there is
//! no model in here. Nothing waits for anybody and nothing is sent anywhere, but for [`qdrant`], which
//! copies vectors to a server that the user names. Start at [`sync::sync`] and
//! [`index::Index::search`].
//!
//! The text that was read is kept whole, so that a citation can be opened after its file has
//! changed. What a document says is data: nothing here acts on it.

pub mod chunk;
pub mod fingerprint;
pub mod index;
pub mod qdrant;
pub mod read;
pub mod sync;
pub mod terms;
pub mod walk;
