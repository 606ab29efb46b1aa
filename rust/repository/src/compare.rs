//! Folders of a tree beside what was known of their files: what has to be looked at again.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rayon::prelude::*;

/// Size, mtime and ctime in nanoseconds, inode, mode: while these stand, so do the bytes.
///
/// Nanoseconds of the year 2300, which a file may bear, do not fit 64 bits.
pub type Stamp = (u64, i128, i128, u64, u32);

/// The states of a tree's regular files, by folder and name.
#[derive(Debug, Default)]
pub struct Known {
    folders: HashMap<Vec<u8>, HashMap<Vec<u8>, Stamp>>,
}

/// One folder, now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Names of what is there and is not a file in its known state: changed and new ones, folders, links.
    pub others: Vec<Vec<u8>>,
    /// Names of known files that are not there in their known state.
    pub missing: Vec<Vec<u8>>,
}

impl Known {
    /// How many files are known.
    pub fn len(&self) -> usize {
        self.folders.values().map(HashMap::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn put(&mut self, path: &[u8], stamp: Stamp) {
        let (folder, name) = parted(path);
        match self.folders.get_mut(folder) {
            Some(files) => files.insert(name.to_vec(), stamp),
            None => self
                .folders
                .entry(folder.to_vec())
                .or_default()
                .insert(name.to_vec(), stamp),
        };
    }

    pub fn forget(&mut self, path: &[u8]) {
        let (folder, name) = parted(path);
        if let Some(files) = self.folders.get_mut(folder) {
            files.remove(name);
            if files.is_empty() {
                self.folders.remove(folder);
            }
        }
    }

    /// Each folder below `root` beside what is known of it, on all cores; "" is the top.
    ///
    /// `.git` is always among the others: what it is decides about the whole folder.
    pub fn look(&self, root: &Path, folders: &[Vec<u8>]) -> Vec<io::Result<Listing>> {
        folders
            .par_iter()
            .map(|folder| self.listing(root, folder))
            .collect()
    }

    fn listing(&self, root: &Path, folder: &[u8]) -> io::Result<Listing> {
        let nothing = HashMap::new();
        let known = self.folders.get(folder).unwrap_or(&nothing);
        let mut same = HashSet::with_capacity(known.len());
        let mut others = Vec::new();
        for entry in fs::read_dir(root.join(std::ffi::OsStr::from_bytes(folder)))? {
            let entry = entry?;
            let name = entry.file_name();
            match known.get_key_value(name.as_bytes()) {
                Some((name, stamp))
                    if name != b".git" && stamp_of(&entry).is_some_and(|now| now == *stamp) =>
                {
                    same.insert(name.as_slice());
                }
                _ => others.push(name.into_vec()),
            }
        }
        let missing = known
            .keys()
            .filter(|name| !same.contains(name.as_slice()))
            .cloned()
            .collect();
        Ok(Listing { others, missing })
    }

    /// Paths of known files in folders other than these.
    pub fn outside(&self, folders: &HashSet<Vec<u8>>) -> Vec<Vec<u8>> {
        self.folders
            .iter()
            .filter(|(folder, _)| !folders.contains(folder.as_slice()))
            .flat_map(|(folder, files)| files.keys().map(|name| joined(folder, name)))
            .collect()
    }
}

/// The state of a regular file; None where it is none, or gone meanwhile.
fn stamp_of(entry: &fs::DirEntry) -> Option<Stamp> {
    let told = entry.metadata().ok()?;
    told.is_file().then(|| stamp(&told))
}

fn stamp(told: &fs::Metadata) -> Stamp {
    let mtime = nanoseconds(told.mtime(), told.mtime_nsec());
    let ctime = nanoseconds(told.ctime(), told.ctime_nsec());
    (told.size(), mtime, ctime, told.ino(), told.mode())
}

fn nanoseconds(seconds: i64, rest: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(rest)
}

fn parted(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() {
        return name.to_vec();
    }
    [folder, b"/", name].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn known(root: &Path, paths: &[&str]) -> Known {
        let mut found = Known::default();
        for path in paths {
            let told = fs::symlink_metadata(root.join(path)).unwrap();
            found.put(path.as_bytes(), stamp(&told));
        }
        found
    }

    fn look(known: &Known, root: &Path, folder: &str) -> (Vec<String>, Vec<String>) {
        let found = known.look(root, &[folder.into()]).remove(0).unwrap();
        let mut both = [found.others, found.missing].map(|names| {
            names
                .into_iter()
                .map(|name| String::from_utf8(name).unwrap())
                .collect::<Vec<_>>()
        });
        for names in &mut both {
            names.sort();
        }
        let [others, missing] = both;
        (others, missing)
    }

    #[test]
    fn only_what_is_not_as_known_is_told() {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        fs::create_dir(at.join("in")).unwrap();
        for name in ["same", "changed", "gone", "linked", "in/x"] {
            fs::write(at.join(name), name).unwrap();
        }
        let mut known = known(at, &["same", "changed", "gone", "linked", "in/x"]);
        assert_eq!(look(&known, at, ""), (vec!["in".into()], vec![]));
        assert_eq!(look(&known, at, "in"), (vec![], vec![]));
        fs::write(at.join("changed"), "longer than before").unwrap();
        fs::remove_file(at.join("gone")).unwrap();
        fs::remove_file(at.join("linked")).unwrap();
        symlink("same", at.join("linked")).unwrap();
        fs::write(at.join("new"), "").unwrap();
        let told = look(&known, at, "");
        assert_eq!(told.0, ["changed", "in", "linked", "new"]);
        assert_eq!(told.1, ["changed", "gone", "linked"]);
        known.forget(b"gone");
        assert_eq!(look(&known, at, "").1, ["changed", "linked"]);
        assert!(known.look(at, &[b"nowhere".to_vec()])[0].is_err());
    }

    #[test]
    fn a_file_may_be_of_the_far_future() {
        let root = tempfile::tempdir().unwrap();
        let file = fs::File::create(root.path().join("late")).unwrap();
        let late = std::time::UNIX_EPOCH + std::time::Duration::from_secs(10_413_792_000);
        file.set_modified(late).unwrap();
        let known = known(root.path(), &["late"]);
        assert_eq!(look(&known, root.path(), ""), (vec![], vec![]));
    }

    #[test]
    fn the_marker_of_a_repository_is_always_told() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(".git"), "gitdir: elsewhere").unwrap();
        let known = known(root.path(), &[".git"]);
        assert_eq!(look(&known, root.path(), "").0, [".git"]);
    }

    #[test]
    fn what_was_not_looked_at_is_outside() {
        let mut known = Known::default();
        for path in ["a", "b/c", "b/d/e"] {
            known.put(path.as_bytes(), (0, 0, 0, 0, 0));
        }
        assert_eq!(known.len(), 3);
        let looked = HashSet::from([b"".to_vec(), b"b".to_vec()]);
        assert_eq!(known.outside(&looked), [b"b/d/e".to_vec()]);
        for path in ["a", "b/c", "b/d/e", "b/f"] {
            known.forget(path.as_bytes());
        }
        assert!(known.is_empty());
    }
}
