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

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, convert::Infallible};

    use axum::{
        body::{Body, Bytes},
        http::header,
    };
    use futures_util::stream;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_form_that_never_comes_is_not_waited_for() {
        let silent = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let request = Request::post("/rooms")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(silent)
            .unwrap();
        let began = Instant::now();
        let refused = read::<HashMap<String, String>>(request).await.unwrap_err();
        assert_eq!((refused, began.elapsed()), (StatusCode::REQUEST_TIMEOUT, TIME));
    }
}
