//! Checkpoints that are whole or not there: written beside, synced, then renamed.
//!
//! Two generations are kept. A newest one that is damaged (a disk that lies about syncing, a bit that flipped)
//! costs the chunks since the one before it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt;
use serde::{de::DeserializeOwned, Deserialize, Serialize};

const FORMAT: u32 = 1;
const NEWEST: &str = "checkpoint.json";
const BEFORE: &str = "checkpoint.previous.json";

/// How far a run has come.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Progress<S> {
    /// The first chunk that is not in `state`.
    pub next: u64,
    pub state: S,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: u32,
    parameters: String,
    checksum: u32,
    /// JSON inside JSON: the checksum is over these very bytes.
    progress: String,
}

/// A folder of checkpoints that one process at a time may use.
pub struct Store {
    folder: PathBuf,
    _lock: File,
}

impl Store {
    /// Open a folder, and make it where it is not there. An error where another run uses it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))?;
        if !FileExt::try_lock_exclusive(&lock)? {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("another run uses {}", folder.display()),
            ));
        }
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// The newest whole checkpoint of a run with these parameters; None where there is none.
    ///
    /// An error where there are checkpoints, but of other parameters: they are not overwritten.
    pub fn load<S: DeserializeOwned>(&self, parameters: &str) -> io::Result<Option<Progress<S>>> {
        let mut strangers = false;
        for name in [NEWEST, BEFORE] {
            match read(&self.folder.join(name)) {
                Some(found) if found.parameters == parameters => {
                    if let Ok(progress) = serde_json::from_str(&found.progress) {
                        return Ok(Some(progress));
                    }
                }
                Some(_) => strangers = true,
                None => {}
            }
        }
        if strangers {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{} holds checkpoints of a run with other parameters; choose another folder or remove it",
                    self.folder.display()
                ),
            ));
        }
        Ok(None)
    }

    /// Replace the newest checkpoint. When this returns, it survives a power cut.
    pub fn save<S: Serialize>(&self, parameters: &str, progress: &Progress<S>) -> io::Result<()> {
        let body = serde_json::to_string(progress)?;
        let envelope = Envelope {
            format: FORMAT,
            parameters: parameters.to_owned(),
            checksum: crc32fast::hash(body.as_bytes()),
            progress: body,
        };
        let newest = self.folder.join(NEWEST);
        let fresh = self.folder.join("checkpoint.new");
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(&envelope)?)?;
        file.sync_all()?;
        // A damaged one must not push out the one before it.
        if read(&newest).is_some() {
            fs::rename(&newest, self.folder.join(BEFORE))?;
        }
        fs::rename(&fresh, &newest)?;
        File::open(&self.folder)?.sync_all()
    }
}

fn read(path: &Path) -> Option<Envelope> {
    let found: Envelope = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let whole = crc32fast::hash(found.progress.as_bytes()) == found.checksum;
    (found.format == FORMAT && whole).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(next: u64) -> Progress<f64> {
        Progress {
            next,
            state: 1.0 / (next as f64 + 3.0),
        }
    }

    #[test]
    fn what_was_saved_is_loaded_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.load::<f64>("p").unwrap(), None);
        for next in 0..100 {
            store.save("p", &at(next)).unwrap();
            assert_eq!(store.load("p").unwrap(), Some(at(next)));
        }
    }

    #[test]
    fn a_damaged_checkpoint_costs_no_more_than_itself() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save("p", &at(1)).unwrap();
        store.save("p", &at(2)).unwrap();
        let newest = folder.path().join(NEWEST);
        let whole = fs::read(&newest).unwrap();
        for cut in 0..whole.len() {
            fs::write(&newest, &whole[..cut]).unwrap();
            assert_eq!(store.load("p").unwrap(), Some(at(1)), "cut at {cut}");
        }
        let mut flipped = whole.clone();
        let middle = whole.len() - 8;
        flipped[middle] ^= 1;
        fs::write(&newest, flipped).unwrap();
        assert_eq!(store.load("p").unwrap(), Some(at(1)));
        store.save("p", &at(3)).unwrap();
        fs::write(&newest, b"").unwrap();
        assert_eq!(
            store.load("p").unwrap(),
            Some(at(1)),
            "the damaged one pushed nothing out"
        );
    }

    #[test]
    fn other_parameters_are_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save("p", &at(1)).unwrap();
        assert!(store.load::<f64>("q").is_err());
        assert_eq!(store.load("p").unwrap(), Some(at(1)));
    }

    #[test]
    fn one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::open(folder.path()).unwrap();
        assert!(Store::open(folder.path()).is_err());
        drop(first);
        assert!(Store::open(folder.path()).is_ok());
    }
}
