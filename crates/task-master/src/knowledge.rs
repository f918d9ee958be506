//! Where questions are answered from: the project's knowledge base and the files that were named.
//!
//! A project without a knowledge base has its own documents and code.

use std::path::Path;

use tm_knowledge::index::{Index, IndexError};
use tm_workflows::research::{Documents, library::Library, sources::SourceFile};

use crate::{app::Workspace, cli::kb::told};

/// All that a question may be answered from.
pub(crate) fn documents(workspace: &Workspace, files: &[SourceFile]) -> anyhow::Result<Documents> {
    let root = workspace.project.root();
    let found = of_project(root, &workspace.project.knowledge_file()).map_err(told)?;
    if files.is_empty() {
        return Ok(found);
    }
    let named = Library::of_files(root, files).map_err(told)?;
    Ok(Documents { libraries: [vec![named], found.libraries].concat(), ..found })
}

/// The knowledge base in `file`, or what else is in the project.
pub(crate) fn of_project(root: &Path, file: &Path) -> Result<Documents, IndexError> {
    match Index::open(file) {
        Ok(index) => Ok(Documents { libraries: vec![Library::new(index)], abstains: true }),
        Err(IndexError::Missing { .. }) => {
            let libraries = Library::of_project(root)?.into_iter().collect();
            Ok(Documents { libraries, abstains: false })
        }
        Err(error) => Err(error),
    }
}
