//! The nearest vectors as a server finds them; where it does not, they are looked for here.
//!
//! It is not asked again then, and [`VectorServer::failure`] says why.

use std::sync::{Arc, Mutex, PoisonError};

use tm_knowledge::{
    index::points::{Near, Wanted},
    qdrant::Qdrant,
};

/// A server that has a copy of the vectors. Clones are the same one.
#[derive(Debug, Clone)]
pub struct VectorServer {
    qdrant: Qdrant,
    failure: Arc<Mutex<Option<String>>>,
}

impl VectorServer {
    pub fn new(qdrant: Qdrant) -> Self {
        Self { qdrant, failure: Arc::default() }
    }

    /// What it finds to be nearest; none when it has not said it.
    pub(crate) async fn nearest(&self, wanted: &Wanted) -> Option<Vec<Near>> {
        if self.failure().is_some() {
            return None;
        }
        match self.qdrant.nearest(wanted).await {
            Ok(nearest) => Some(nearest),
            Err(error) => {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                *failure = Some(error.to_string());
                None
            }
        }
    }

    /// Why vectors were looked for here; none while they were not.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
