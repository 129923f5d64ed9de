//! Keeps the forms of other sites out.

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use chatrooms::ws::Origins;

/// A form may come from this site's own pages only.
pub(crate) async fn refuse_foreign(request: Request, next: Next) -> Response {
    if Origins::SameHost.allow(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this form comes from another site").into_response()
    }
}
