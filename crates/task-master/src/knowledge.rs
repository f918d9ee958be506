//! Where questions are answered from: the project's knowledge base and the files that were named.
//!
//! A project without a knowledge base has its own documents and code.

use tm_knowledge::index::{Index, IndexError};
use tm_workflows::research::{Documents, library::Library, sources::SourceFile};

use crate::{app::Workspace, cli::kb::told};

/// All that a question may be answered from.
pub(crate) fn documents(workspace: &Workspace, files: &[SourceFile]) -> anyhow::Result<Documents> {
    let root = workspace.project.root();
    let mut documents = Documents::default();
    if !files.is_empty() {
        documents.libraries.push(Library::of_files(root, files).map_err(told)?);
    }
    match Index::open(&workspace.project.knowledge_file()) {
        Ok(index) => {
            documents.abstains = true;
            documents.libraries.push(Library::new(index));
        }
        Err(IndexError::Missing { .. }) => {
            documents.libraries.extend(Library::of_project(root).map_err(told)?);
        }
        Err(error) => return Err(told(error)),
    }
    Ok(documents)
}
