use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use computation::checkpoint::Store;
use computation::engine::{run, Outcome};
use computation::twin_primes::TwinPrimes;
use computation::Computation;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const INTERRUPTED: u8 = 130;

/// Count twin primes. Kill it whenever you like: the next run goes on from the last checkpoint.
#[derive(Parser)]
struct Options {
    /// Count pairs below this number.
    #[arg(long, default_value_t = 1_000_000_000)]
    limit: u64,
    /// Numbers in one chunk.
    #[arg(long, default_value_t = 1 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    span: u64,
    /// Seconds between checkpoints.
    #[arg(long, default_value_t = 10.0)]
    every: f64,
    /// Where the checkpoints are.
    #[arg(long, default_value = "run")]
    folder: PathBuf,
    /// One line of JSON at the end.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match compute(&Options::parse()) {
        Ok(code) => code,
        Err(trouble) => {
            eprintln!("compute: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn compute(options: &Options) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let every = Duration::try_from_secs_f64(options.every)?;
    let work = TwinPrimes {
        limit: options.limit,
        span: options.span,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed))?;
    let store = Store::open(&options.folder)?;
    let bar = progress_bar(work.chunks());
    let mut first = true;
    let outcome = run(&work, &store, every, &stop, |done| {
        // What an earlier run did says nothing about the speed of this one.
        if std::mem::take(&mut first) {
            bar.set_position(done);
            bar.reset_eta();
        } else {
            bar.set_position(done);
        }
    })
    .map_err(|trouble| trouble.to_string())?;
    bar.finish_and_clear();
    match outcome {
        Outcome::Finished(found) if options.json => {
            println!(
                "{{\"pairs\": {}, \"sum_bits\": \"{:016x}\"}}",
                found.pairs,
                found.reciprocals().to_bits()
            );
        }
        Outcome::Finished(found) => {
            println!(
                "{} pairs of twin primes below {}",
                found.pairs, options.limit
            );
            println!("sum of their reciprocals: {:.15}", found.reciprocals());
        }
        Outcome::Stopped { next } => {
            eprintln!(
                "stopped at chunk {next} of {}; run it again to go on",
                work.chunks()
            );
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn progress_bar(chunks: u64) -> ProgressBar {
    let bar = ProgressBar::new(chunks);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = "{bar:40} {percent}% {elapsed} so far, {eta} to go";
    bar.with_style(ProgressStyle::with_template(style).expect("a valid template"))
}
