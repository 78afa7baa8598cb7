//! Writes `tests/vectors/base` and `tests/vectors/invalid`: `cargo run -p countersign-testing --bin vectors`. The same bytes each time.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a generator that fails should stop, and says what it wrote")]

use std::fs;
use std::path::Path;

use countersign_testing::vectors::{Bases, files};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let files = files(&Bases::read(&root.join("valid")));
    for folder in ["base", "invalid"] {
        if root.join(folder).exists() {
            fs::remove_dir_all(root.join(folder)).unwrap();
        }
    }
    for (path, bytes) in &files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let vectors = files.keys().filter(|p| p.starts_with("invalid/") && p.ends_with(".json")).count();
    println!("{vectors} vectors, {} files, {} bytes", files.len(), files.values().map(Vec::len).sum::<usize>());
}
