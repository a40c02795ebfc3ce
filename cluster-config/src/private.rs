//! Folders and files that only their owner may read: keys, logs, and data with hidden words.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

/// What the group and everybody else may do.
const OTHERS: u32 = 0o077;

/// What makes a file readable for everybody on the machine.
const READ_BY_ALL: u32 = 0o004;

/// Makes a folder, and those above it, that only its owner may look into, whatever the
/// process's umask is. One that is there already is closed to others.
///
/// # Errors
/// When it cannot be made, or others may look into it and that cannot be changed, for it
/// is somebody else's.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    close_to_others(path)
}

/// Takes from everybody but the owner what they may do with a file or a folder.
///
/// # Errors
/// When it is not there, or somebody else's.
pub fn close_to_others(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS))
}

/// Whether everybody on this machine may read a file.
pub(crate) fn is_open_to_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & READ_BY_ALL != 0)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// What is made is its owner's, and what was open is closed; both may be done again.
    #[test]
    fn a_private_folder_is_its_owners() {
        let dir = TempDir::new().unwrap();
        let (inner, file) = (dir.path().join("a/b"), dir.path().join("file"));
        make_folder(&inner).unwrap();
        assert_eq!([mode(&inner), mode(&dir.path().join("a"))], [0o700; 2]);
        fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
        make_folder(&inner).unwrap();
        assert_eq!(mode(&inner), 0o700);
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert!(is_open_to_all(&file));
        close_to_others(&file).unwrap();
        close_to_others(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
        assert!(!is_open_to_all(&file) && close_to_others(&dir.path().join("none")).is_err());
    }
}
