//! The limits that every service keeps. Crossing one is an error that names it.

/// Bytes of a request body on the control plane.
pub const CONTROL_BODY_BYTES: usize = 1024 * 1024;
/// Header fields of a request.
pub const HEADERS: usize = 100;
/// Bytes of all header fields together.
pub const HEADER_BYTES: usize = 64 * 1024;
/// Bytes of a request's URL.
pub const URL_BYTES: usize = 8 * 1024;
/// Bytes of a name.
pub const NAME_BYTES: usize = 256;
/// Capabilities of one service.
pub const CAPABILITIES: usize = 256;
/// Bytes of one capability.
pub const CAPABILITY_BYTES: usize = 128;
/// Labels of one service.
pub const LABELS: usize = 64;
/// Bytes of one label's value.
pub const LABEL_BYTES: usize = 4 * 1024;
/// Bytes of a free text that a caller gives as a reason.
pub const REASON_BYTES: usize = 1024;
/// Services in one registry.
pub const SERVICES: usize = 20_000;
/// Seconds within which a connection must have sent its request's headers.
pub const HEADER_READ_S: u64 = 10;
/// Seconds that a connection may be kept between two requests.
pub const IDLE_S: u64 = 120;
/// Connections of one service.
pub const CONNECTIONS: usize = 10_000;
/// Rows of a list when the caller names no number.
pub const LIST_DEFAULT: u32 = 100;
/// Rows of a list at the most.
pub const LIST_MAX: u32 = 1_000;
/// Bytes of a sentence or a path in a list.
pub const LINE_BYTES: usize = 4 * 1024;
/// Sentences, paths or names in one list.
pub const LINES: usize = 256;
/// Bytes of a task, or of an agent's description.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Cores in one request.
pub const CPU: f64 = 4096.0;
/// Mebibytes of memory in one request.
pub const MEM_MB: u64 = 1_000_000_000;
/// Graphics processors in one request.
pub const GPUS: u64 = 1024;
/// Ports in one request.
pub const PORTS: usize = 1024;
/// Seconds of a reservation without a renewal, a day.
pub const RESERVATION_TTL_S: u32 = 86_400;
/// Seconds of a wait for resources, an hour.
pub const RESERVATION_WAIT_S: u32 = 3_600;
/// How far a priority goes to either side of 0.
pub const PRIORITY: i32 = 100;
/// Tokens in one number, what every JSON client reads exactly.
pub const TOKENS: u64 = 9_007_199_254_740_991;
/// Seconds between two beats, a day.
pub const BEAT_INTERVAL_S: u32 = 86_400;
/// Bytes of one event.
pub const EVENT_BYTES: usize = 1024 * 1024;
/// Events of one batch.
pub const BATCH_EVENTS: usize = 5_000;
/// Bytes of one batch of events.
pub const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Seconds that the time of an event may be ahead of the clock of whoever receives it.
pub const EVENT_AHEAD_S: i64 = 300;
/// Bytes of a path in the tree of budgets.
pub const BUDGET_PATH_BYTES: usize = 4 * 1024;
/// Levels of lists and objects in a body.
pub const JSON_DEPTH: usize = 128;
/// Bytes of the body of a call through the gateway.
pub const CALL_BODY_BYTES: usize = 32 * 1024 * 1024;
/// Seconds of one call through the gateway, a day.
pub const CALL_S: f64 = 86_400.0;
/// Times that one call is tried.
pub const ATTEMPTS: u32 = 10;
/// Candidates that a receipt lists; the others are counted.
pub const CANDIDATES: usize = 16;
/// Attempts that a receipt lists.
pub const RECEIPT_ATTEMPTS: usize = 64;
/// Bytes of a request or an answer that a receipt holds, where it holds them at all.
pub const CONTENT_BYTES: usize = 256 * 1024;
/// Milliseconds of one measure, thirty years.
pub const MILLIS: u64 = 1_000_000_000_000;
