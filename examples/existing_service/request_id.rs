//! The middleware around everything: a number for each request, so that a complaint finds its line in the log.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{extract::Request, http::HeaderValue, middleware::Next, response::Response};

pub(crate) async fn add(request: Request, next: Next) -> Response {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut response = next.run(request).await;
    tracing::info!(id, status = response.status().as_u16(), "answered");
    response.headers_mut().insert("x-request-id", HeaderValue::from(id));
    response
}
