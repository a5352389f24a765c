//! Generates Rust from the hand-written contracts; no protoc is needed.

use std::path::Path;

const FILES: [&str; 3] =
    ["pas/events/v1/events.proto", "pas/registry/v1/registry.proto", "pas/routing/v1/routing.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new("../../contracts/proto");
    for file in FILES {
        #[expect(clippy::disallowed_macros, reason = "this is how a build script speaks to cargo")]
        {
            println!("cargo:rerun-if-changed={}", root.join(file).display());
        }
    }
    let descriptors = protox::compile(FILES, [root])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
