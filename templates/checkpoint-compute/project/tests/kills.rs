//! The promise of this project: killed again and again at random, the result is the same to the last bit.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

const KILLS: u32 = 50;

fn compute(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_compute"));
    command.args([
        "--limit",
        "400000000",
        "--span",
        "500000",
        "--every",
        "0",
        "--json",
        "--folder",
    ]);
    command
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn result(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Splitmix64: the same kills in every run of the test.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn killed_fifty_times_the_result_is_the_same() {
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let undisturbed = result(&compute(whole.path()).output().unwrap());
    let mut seed = 7;
    for _ in 0..KILLS {
        let mut child = compute(killed.path()).spawn().unwrap();
        sleep(Duration::from_millis(random(&mut seed) % 60));
        // SIGKILL: nothing of ours runs afterwards.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(
        killed.path().join("checkpoint.json").exists(),
        "they got somewhere"
    );
    assert_eq!(
        result(&compute(killed.path()).output().unwrap()),
        undisturbed
    );
}

#[test]
fn a_second_run_beside_the_first_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = compute(folder.path()).spawn().unwrap();
    while !folder.path().join("checkpoint.json").exists() {
        sleep(Duration::from_millis(1));
    }
    let second = compute(folder.path()).output().unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another run uses"));
}
