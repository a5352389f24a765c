//! gRPC: connections to other services, and errors on their way to a caller.

use std::time::Duration;

use pas_types::Error;
use tonic::transport::{Channel, Endpoint};

/// Time within which a connection must stand.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection on which nothing comes for this long is asked whether it lives, and has as long to answer.
const PING: Duration = Duration::from_secs(5);

/// The service at `url`. A connection is made when it is needed, and noticed to be dead when the other side is gone.
pub fn channel(url: &str) -> anyhow::Result<Channel> {
    let channel = Endpoint::from_shared(url.trim_end_matches('/').to_owned())?
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
        .connect_lazy();
    Ok(channel)
}

/// The status that tells a gRPC caller of `error`; the word of its code is in `x-pas-code`.
pub fn status(error: &Error) -> tonic::Status {
    let mut status = tonic::Status::new(tonic::Code::from_i32(error.grpc_code()), error.message.clone());
    let word = tonic::metadata::MetadataValue::from_static(error.code.as_str());
    status.metadata_mut().insert("x-pas-code", word);
    status
}
