//! The tools whose metadata ours is measured against.

use camino::Utf8Path;

use crate::{Ran, program, run};

/// Runs `createrepo_c` on a folder, with further arguments.
pub fn createrepo_c<S: AsRef<str>>(folder: &Utf8Path, arguments: &[S]) -> Ran {
    run(program("createrepo_c").arg("--quiet").args(arguments.iter().map(AsRef::as_ref)).arg(folder))
}

/// Runs `mergerepo_c` on repositories and puts the result into a folder.
pub fn mergerepo_c(repositories: &[&Utf8Path], into: &Utf8Path) -> Ran {
    let mut command = program("mergerepo_c");
    for repository in repositories {
        command.arg("--repo").arg(repository);
    }
    run(command.arg("--outputdir").arg(into))
}
