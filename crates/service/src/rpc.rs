//! Errors on their way to a gRPC caller.

use pas_types::Error;

/// The status that tells a gRPC caller of `error`; the word of its code is in `x-pas-code`.
pub fn status(error: &Error) -> tonic::Status {
    let mut status = tonic::Status::new(tonic::Code::from_i32(error.grpc_code()), error.message.clone());
    let word = tonic::metadata::MetadataValue::from_static(error.code.as_str());
    status.metadata_mut().insert("x-pas-code", word);
    status
}
