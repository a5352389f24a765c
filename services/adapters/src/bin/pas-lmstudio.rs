//! The door to LM Studio.

use std::process::ExitCode;

use pas_adapters::lmstudio::PROFILE;
use pas_service::running;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(pas_adapter::run(&PROFILE).await)
}
