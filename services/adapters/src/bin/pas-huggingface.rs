//! The door to Hugging Face.

use std::process::ExitCode;

use pas_adapters::huggingface::PROFILE;
use pas_service::running;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(pas_adapter::run(&PROFILE).await)
}
