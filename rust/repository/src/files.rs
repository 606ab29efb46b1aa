//! Walking, hashing and comparing files, on all cores.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Mutex;

use ignore::{WalkBuilder, WalkState};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// Paths below `root` that no ignore rule leaves out, sorted, with "/"; `skipped` are names of folders.
///
/// Links are listed and not followed. What cannot be read is left out.
pub fn walk(root: &Path, skipped: &[String]) -> Vec<Vec<u8>> {
    let found = Mutex::new(Vec::new());
    let skipped: Vec<String> = skipped.to_vec();
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .parents(false)
        .ignore(false)
        .git_global(false)
        .require_git(false)
        .threads(threads())
        .filter_entry(move |entry| {
            entry.depth() == 0
                || !entry.file_type().is_some_and(|kind| kind.is_dir())
                || !skipped
                    .iter()
                    .any(|name| entry.file_name() == name.as_str())
        })
        .build_parallel();
    walker.run(|| {
        let mut mine = Batch {
            all: &found,
            paths: Vec::new(),
        };
        Box::new(move |entry| {
            if let Ok(entry) = entry {
                if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                    if let Ok(inside) = entry.path().strip_prefix(root) {
                        mine.paths.push(inside.as_os_str().as_bytes().to_vec());
                    }
                }
            }
            WalkState::Continue
        })
    });
    let mut paths = found.into_inner().expect("no walker panicked");
    paths.par_sort_unstable();
    paths
}

/// One walker's paths: handed over once, when the walker ends.
struct Batch<'a> {
    all: &'a Mutex<Vec<Vec<u8>>>,
    paths: Vec<Vec<u8>>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.append(&mut self.paths);
        }
    }
}

pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// SHA-256 of each file; None where one cannot be read or is no file.
pub fn hashes(root: &Path, paths: &[Vec<u8>]) -> Vec<Option<[u8; 32]>> {
    paths
        .par_iter()
        .map(|path| hash(&root.join(std::ffi::OsStr::from_bytes(path))).ok())
        .collect()
}

fn hash(path: &Path) -> io::Result<[u8; 32]> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 17];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hasher.finalize().into()),
            count => hasher.update(&block[..count]),
        }
    }
}

/// What tells two states of a file apart without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    pub mode: u32,
    pub size: u64,
    pub mtime_ns: i64,
    pub ctime_ns: i64,
    pub inode: u64,
}

/// The state of each path itself, not of what it links to; None where there is nothing.
pub fn stats(root: &Path, paths: &[Vec<u8>]) -> Vec<Option<Stat>> {
    paths
        .par_iter()
        .with_min_len(256)
        .map(|path| {
            let told = fs::symlink_metadata(root.join(std::ffi::OsStr::from_bytes(path))).ok()?;
            Some(Stat {
                mode: told.mode(),
                size: told.size(),
                mtime_ns: told.mtime() * 1_000_000_000 + told.mtime_nsec(),
                ctime_ns: told.ctime() * 1_000_000_000 + told.ctime_nsec(),
                inode: told.ino(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in [
            "a.py",
            "b/c.py",
            "b/.hidden",
            "node_modules/x.js",
            "out/made.o",
            ".git/config",
        ] {
            let whole = root.path().join(path);
            fs::create_dir_all(whole.parent().unwrap()).unwrap();
            fs::write(whole, path).unwrap();
        }
        fs::write(root.path().join(".gitignore"), "out/\n").unwrap();
        symlink("/", root.path().join("b/up")).unwrap();
        root
    }

    #[test]
    fn a_walk_obeys_ignore_rules_and_follows_no_link() {
        let root = tree();
        let found = walk(root.path(), &["node_modules".into(), ".git".into()]);
        let names: Vec<_> = found
            .iter()
            .map(|path| String::from_utf8_lossy(path))
            .collect();
        assert_eq!(names, [".gitignore", "a.py", "b/.hidden", "b/c.py", "b/up"]);
    }

    #[test]
    fn hashes_are_those_of_sha256() {
        let root = tree();
        let paths = [
            b"a.py".to_vec(),
            b"missing".to_vec(),
            b"b".to_vec(),
            b"b/up".to_vec(),
        ];
        let found = hashes(root.path(), &paths);
        assert_eq!(found[0], Some(Sha256::digest(b"a.py").into()));
        assert_eq!(found[1..], [None, None, None]);
    }

    #[test]
    fn a_change_is_seen() {
        let root = tree();
        let paths = [b"a.py".to_vec(), b"missing".to_vec()];
        let before = stats(root.path(), &paths);
        assert_eq!(before, stats(root.path(), &paths));
        fs::write(root.path().join("a.py"), "longer than before").unwrap();
        assert_ne!(before, stats(root.path(), &paths));
        assert_eq!(before[1], None);
    }
}
