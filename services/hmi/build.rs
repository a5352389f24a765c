//! Puts the web build into the binary: a table of the files under `web/dist`, empty where there are none.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Where the web build writes.
const DIST: &str = "web/dist";
/// Files under it have the hash of their content in their names.
const HASHED: &str = "/assets/";

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script by variables where to write")]
fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    // Cargo builds anew each time what it is to watch doesn't exist. Where this can't be made, it does.
    drop(fs::create_dir_all(DIST));
    writeln!(io::stdout(), "cargo:rerun-if-changed={DIST}")?;
    writeln!(io::stdout(), "cargo:rerun-if-changed=build.rs")?;

    let mut table = String::from("&[\n");
    for (number, path) in files(Path::new(DIST))?.iter().enumerate() {
        table.push_str(&entry(number, path, &out)?);
    }
    table.push_str("]\n");
    fs::write(out.join("assets.rs"), table)
}

/// Every file below a folder, in the order of their names.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// A line of the table. The bytes are copied, so that table and files are of one web build.
fn entry(number: usize, file: &Path, out: &Path) -> io::Result<String> {
    let bytes = fs::read(file)?;
    let name = file.strip_prefix(DIST).map_err(io::Error::other)?;
    let name = name.to_str().ok_or_else(|| io::Error::other(format!("{} is not UTF-8", file.display())))?;
    let path = format!("/{name}");
    let copy = format!("asset-{number}");
    fs::write(out.join(&copy), &bytes)?;

    let packed = gzip(&bytes)?;
    let gzip = if packed.len() < bytes.len() {
        let copy = format!("asset-{number}.gz");
        fs::write(out.join(&copy), packed)?;
        format!("Some({})", include(&copy))
    } else {
        "None".to_owned()
    };
    let hash = blake3::hash(&bytes).to_hex();
    Ok(format!(
        "    Asset {{ path: {path:?}, content_type: {:?}, bytes: {}, gzip: {gzip}, hash: {:?}, immutable: {} }},\n",
        content_type(&path),
        include(&copy),
        &hash.as_str()[..32],
        path.starts_with(HASHED),
    ))
}

fn include(file: &str) -> String {
    format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\"))")
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
