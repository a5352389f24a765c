//! The program of all local models: `pas-local-llm tinyllama` is TinyLlama.

use std::process::ExitCode;

use pas_local_llm::PROFILES;
use pas_service::running;

// Calls have threads of their own; here is what else there is to do.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(pas_adapter::run(&PROFILES).await)
}
