//! Logging in and out.

use axum::{
    Extension, Form,
    extract::State,
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use crate::{
    cookie,
    failure::Failure,
    members::{Login, Member},
    service::Service,
};

/// Who wants in. How a service makes sure that it is them (a password, a mail, somebody else's login) is left out here: members are believed.
#[derive(Deserialize)]
pub(crate) struct LoginForm {
    login: String,
}

pub(crate) async fn log_in(
    State(service): State<Service>,
    Form(form): Form<LoginForm>,
) -> Result<Response, Failure> {
    let Some(token) = service.members.log_in(&form.login).await? else {
        return Ok((StatusCode::FORBIDDEN, "there is no such member").into_response());
    };
    Ok(([(SET_COOKIE, cookie::set(&token))], Redirect::to("/home")).into_response())
}

/// Logs a member out everywhere.
pub(crate) async fn log_out(
    State(service): State<Service>,
    Extension(login): Extension<Login>,
) -> Result<Response, Failure> {
    // A task of its own, because a browser that goes away ends its request: this is done entirely or not at all.
    tokio::spawn(end(service, login.member)).await??;
    Ok(([(SET_COOKIE, cookie::clear())], Redirect::to("/")).into_response())
}

async fn end(service: Service, member: Member) -> sqlx::Result<()> {
    service.members.log_out(&member).await?;
    // Afterwards, so that no socket slips in between.
    service.chat.end(&member); // chat
    Ok(())
}
