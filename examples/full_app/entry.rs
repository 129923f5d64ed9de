//! The entry: `GET /` asks for a name and a room, `POST /rooms` lets in.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use chatrooms::{RoomName, UserName};
use serde::Deserialize;

use crate::{
    app::App, form, names::NotAllowed, pages::EntryForm, room, username, visitor::Visitor, wanted,
    words,
};

/// What a browser sends. A field that is missing is an empty one, and has the same answer.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    username: String,
    room: String,
}

/// The entry page, filled in as far as the visitor is known.
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    let visitor = app.logged_in(&headers).await;
    let username = visitor.map(|visitor| visitor.user.to_string()).unwrap_or_default();
    let Some(wanted) = wanted::room(app.site.cookie_form(), &headers) else {
        return app.pages.entry(StatusCode::OK, &EntryForm { username, ..EntryForm::default() });
    };
    let form = EntryForm { username, room: wanted.to_string(), ..EntryForm::default() };
    (
        [(header::SET_COOKIE, wanted::forget(app.site.cookie_form()))],
        app.pages.entry(StatusCode::OK, &form),
    )
        .into_response()
}

/// Gives the visitor the name, and shows the way to the room.
pub(crate) async fn enter(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (headers, address) = (parts.headers.clone(), app.address(&parts));
    match read(&app, Request::from_parts(parts, body)).await {
        Ok(fields) => let_in(&app, &headers, address, fields).await,
        Err(response) => response,
    }
}

async fn read(app: &App, request: Request) -> Result<Fields, Response> {
    form::read(request).await.map_err(|status| match status {
        StatusCode::BAD_REQUEST => {
            let form =
                EntryForm { username_error: words::NO_FORM.to_owned(), ..EntryForm::default() };
            app.pages.entry(status, &form)
        }
        status => (status, words::NO_FORM).into_response(),
    })
}

async fn let_in(
    app: &App,
    headers: &HeaderMap,
    address: Option<IpAddr>,
    Fields { username, room }: Fields,
) -> Response {
    let (user, to) = match (username::read(&username), RoomName::new(&room)) {
        (Ok(user), Ok(to)) => (user, to),
        (user, to) => {
            let username_error = user.err().map(words::about_user).unwrap_or_default();
            let room_error = to.err().map(words::about_room).unwrap_or_default();
            let form = EntryForm { username, username_error, room, room_error };
            return app.pages.entry(StatusCode::BAD_REQUEST, &form);
        }
    };
    match give_name(app, headers, address, user).await {
        Ok(visitor) => {
            let redirect = Redirect::to(&room::url(&to));
            ([(header::SET_COOKIE, app.cookies.issue(&visitor))], redirect).into_response()
        }
        Err(refused) => refuse(app, refused, username, room),
    }
}

/// A browser that has been here keeps its id, whatever name it comes by; one that has logged out gets a new one.
async fn give_name(
    app: &App,
    headers: &HeaderMap,
    address: Option<IpAddr>,
    user: UserName,
) -> Result<Visitor, NotAllowed> {
    let known = app.logged_in(headers).await.map(|visitor| visitor.browser);
    let issued = app.names.now();
    if let Some(browser) = known {
        let visitor = Visitor { browser, user: user.clone(), issued };
        match app.names.claim(&visitor, address).await {
            // Just now, in another tab.
            Err(NotAllowed::LoggedOut) => {}
            claimed => return claimed.map(|()| visitor),
        }
    }
    let visitor = Visitor { browser: app.browsers.next(), user, issued };
    app.names.claim(&visitor, address).await.map(|()| visitor)
}

fn refuse(app: &App, refused: NotAllowed, username: String, room: String) -> Response {
    let (status, reason, retry_after) = match refused {
        NotAllowed::Taken => (StatusCode::CONFLICT, words::TAKEN, None),
        NotAllowed::LooksAlike => (StatusCode::CONFLICT, words::LOOKS_ALIKE, None),
        NotAllowed::TooMany => (StatusCode::TOO_MANY_REQUESTS, words::TOO_MANY_NAMES, Some("60")),
        NotAllowed::Full | NotAllowed::LoggedOut => {
            (StatusCode::SERVICE_UNAVAILABLE, words::FULL, Some("60"))
        }
        NotAllowed::NotKept => (StatusCode::SERVICE_UNAVAILABLE, words::NOT_KEPT, Some("5")),
    };
    let form =
        EntryForm { username, username_error: reason.to_owned(), room, ..EntryForm::default() };
    let mut response = app.pages.entry(status, &form);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn when_there_is_no_place_the_page_says_so_and_keeps_what_was_typed() {
        let app = App::for_tests().await;
        for (refused, status, reason, seconds) in [
            (NotAllowed::Full, StatusCode::SERVICE_UNAVAILABLE, words::FULL, "60"),
            (NotAllowed::TooMany, StatusCode::TOO_MANY_REQUESTS, words::TOO_MANY_NAMES, "60"),
            (NotAllowed::NotKept, StatusCode::SERVICE_UNAVAILABLE, words::NOT_KEPT, "5"),
        ] {
            let response = refuse(&app, refused, "ada".into(), "hall".into());
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds);
            let page = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let page = String::from_utf8_lossy(&page);
            for part in [reason, "value=\"ada\"", "value=\"hall\""] {
                assert!(page.contains(part), "{part} in {page}");
            }
        }
    }

    #[tokio::test]
    async fn a_cookie_that_was_voided_meanwhile_makes_a_new_browser() {
        let app = App::for_tests().await;
        let ada = UserName::new("ada").unwrap();
        let first = give_name(&app, &HeaderMap::new(), None, ada.clone()).await.ok().unwrap();
        let set = app.cookies.issue(&first);
        let pair = set.to_str().unwrap().split(';').next().unwrap().parse().unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, pair)]);
        let again = give_name(&app, &headers, None, ada.clone()).await.ok().unwrap();
        assert_eq!(again.browser, first.browser);
        app.names.log_out(&first, async |_| {}).await.unwrap();
        let anew = give_name(&app, &headers, None, ada).await.ok().unwrap();
        assert_ne!(anew.browser, first.browser);
    }
}
