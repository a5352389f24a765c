//! Llama 3.1 8B on this machine.

use std::process::ExitCode;

use pas_local_llm::LLAMA;
use pas_service::running;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(pas_adapter::run(&LLAMA).await)
}
