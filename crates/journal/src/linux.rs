//! What only Linux can tell.

/// What is another after each start of the machine; `None` where the system can't tell.
pub(crate) fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}
