//! Keeps the forms of other sites out.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::site::Site;

/// A form may come from this site's own pages only.
pub(crate) async fn refuse_foreign(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    if site.origins().allow(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this form comes from another site").into_response()
    }
}
