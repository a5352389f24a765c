//! What is asked about receipts.

use utoipa_axum::router::OpenApiRouter;

use crate::receipts::Receipts;

/// The routes.
pub(super) fn described() -> OpenApiRouter<Receipts> {
    OpenApiRouter::new()
}
