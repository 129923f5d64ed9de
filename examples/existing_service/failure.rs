//! What went wrong in the service itself: its log hears the reason, the browser does not.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

pub(crate) struct Failure(Box<dyn std::error::Error + Send + Sync>);

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "a request failed");
        (StatusCode::SERVICE_UNAVAILABLE, "try again later").into_response()
    }
}
