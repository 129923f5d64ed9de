//! Forms as browsers post them.

use std::time::Duration;

use axum::{
    Form,
    extract::{FromRequest as _, Request},
    http::StatusCode,
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// How long a form may take to arrive.
const TIME: Duration = Duration::from_secs(5);

/// Reads the fields of a form; an error is the status of the answer.
pub(crate) async fn read<T: DeserializeOwned>(request: Request) -> Result<T, StatusCode> {
    match timeout(TIME, Form::from_request(request, &())).await {
        Ok(Ok(Form(fields))) => Ok(fields),
        Ok(Err(rejection)) => Err(match rejection.status() {
            status @ (StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE) => status,
            _ => StatusCode::BAD_REQUEST,
        }),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
