//! The door to Grok.

use std::process::ExitCode;

use pas_adapters::grok::PROFILE;
use pas_service::running;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(pas_adapter::run(&PROFILE).await)
}
