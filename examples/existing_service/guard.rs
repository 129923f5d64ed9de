//! The middleware in front of what is for members: their handlers find the [`Login`](crate::members::Login) in the request's extensions.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use crate::{cookie, failure::Failure, service::Service};

pub(crate) async fn members_only(
    State(service): State<Service>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let login = match cookie::token(request.headers()) {
        Some(token) => service.members.login(&token).await?,
        None => None,
    };
    let Some(login) = login else { return Ok(Redirect::to("/").into_response()) };
    request.extensions_mut().insert(login);
    Ok(next.run(request).await)
}
