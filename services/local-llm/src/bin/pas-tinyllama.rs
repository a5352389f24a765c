//! TinyLlama on this machine.

use std::process::ExitCode;

use pas_local_llm::TINYLLAMA;
use pas_service::running;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(pas_adapter::run(&TINYLLAMA).await)
}
