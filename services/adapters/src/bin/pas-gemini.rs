//! The door to Gemini.

use std::process::ExitCode;

use pas_adapters::gemini::PROFILE;
use pas_service::running;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(pas_adapter::run(&PROFILE).await)
}
