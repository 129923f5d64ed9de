//! The entry: `GET /` asks for a name and a room, `POST /rooms` lets in.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use chatrooms::{RoomName, UserName};
use serde::Deserialize;

use crate::{
    app::App,
    form,
    names::NotAllowed,
    pages::EntryForm,
    room, username,
    visitor::{BrowserId, Visitor},
    wanted, words,
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
    let headers = request.headers().clone();
    match read(&app, request).await {
        Ok(fields) => let_in(&app, &headers, fields).await,
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

async fn let_in(app: &App, headers: &HeaderMap, Fields { username, room }: Fields) -> Response {
    let (user, to) = match (username::read(&username), RoomName::new(&room)) {
        (Ok(user), Ok(to)) => (user, to),
        (user, to) => {
            let username_error = user.err().map(words::about_user).unwrap_or_default();
            let room_error = to.err().map(words::about_room).unwrap_or_default();
            let form = EntryForm { username, username_error, room, room_error };
            return app.pages.entry(StatusCode::BAD_REQUEST, &form);
        }
    };
    match give_name(app, headers, user).await {
        Ok(visitor) => {
            let redirect = Redirect::to(&room::url(&to));
            ([(header::SET_COOKIE, app.cookies.issue(&visitor))], redirect).into_response()
        }
        Err(refused) => refuse(app, refused, username, room),
    }
}

/// A browser that has been here keeps its id, whatever name it comes by; one that has logged out gets a new one.
async fn give_name(app: &App, headers: &HeaderMap, user: UserName) -> Result<Visitor, Refused> {
    let known = app.logged_in(headers).await.map(|visitor| visitor.browser);
    let issued = app.names.now();
    if let Some(browser) = known {
        let visitor = Visitor { browser, user: user.clone(), issued };
        match app.names.claim(&visitor).await {
            // Just now, in another tab.
            Err(NotAllowed::LoggedOut) => {}
            claimed => return claimed.map(|()| visitor).map_err(Refused::Name),
        }
    }
    let browser = BrowserId::random().map_err(Refused::Randomness)?;
    let visitor = Visitor { browser, user, issued };
    app.names.claim(&visitor).await.map(|()| visitor).map_err(Refused::Name)
}

enum Refused {
    Name(NotAllowed),
    Randomness(getrandom::Error),
}

fn refuse(app: &App, refused: Refused, username: String, room: String) -> Response {
    let (status, reason) = match refused {
        Refused::Name(NotAllowed::Taken) => (StatusCode::CONFLICT, words::TAKEN),
        Refused::Name(NotAllowed::LooksAlike) => (StatusCode::CONFLICT, words::LOOKS_ALIKE),
        Refused::Name(NotAllowed::Full | NotAllowed::LoggedOut) => {
            (StatusCode::SERVICE_UNAVAILABLE, words::FULL)
        }
        Refused::Randomness(error) => {
            tracing::error!(%error, "there is no randomness to be had");
            (StatusCode::SERVICE_UNAVAILABLE, words::FULL)
        }
    };
    let form =
        EntryForm { username, username_error: reason.to_owned(), room, ..EntryForm::default() };
    let mut response = app.pages.entry(status, &form);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn when_all_places_are_taken_the_page_says_so_and_keeps_what_was_typed() {
        let full = Refused::Name(NotAllowed::Full);
        let response = refuse(&App::for_tests().await, full, "ada".into(), "hall".into());
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "60");
        let page = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let page = String::from_utf8_lossy(&page);
        for part in [words::FULL, "value=\"ada\"", "value=\"hall\""] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }

    #[tokio::test]
    async fn a_cookie_that_was_voided_meanwhile_makes_a_new_browser() {
        let app = App::for_tests().await;
        let ada = UserName::new("ada").unwrap();
        let first = give_name(&app, &HeaderMap::new(), ada.clone()).await.ok().unwrap();
        let set = app.cookies.issue(&first);
        let pair = set.to_str().unwrap().split(';').next().unwrap().parse().unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, pair)]);
        let again = give_name(&app, &headers, ada.clone()).await.ok().unwrap();
        assert_eq!(again.browser, first.browser);
        app.names.log_out(&first, |_| {}).await;
        let anew = give_name(&app, &headers, ada).await.ok().unwrap();
        assert_ne!(anew.browser, first.browser);
    }
}
