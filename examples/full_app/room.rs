//! `GET /rooms/{room}`: the chat page.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
};
use chatrooms::RoomName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{app::App, names::NotAllowed, pages::EntryForm, visitor::Visitor, wanted, words};

/// What a path segment holds as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A room's name as part of a URL.
pub(crate) fn segment(room: &RoomName) -> String {
    utf8_percent_encode(room.as_str(), SEGMENT).to_string()
}

/// Where a room is.
pub(crate) fn url(room: &RoomName) -> String {
    format!("/rooms/{}", segment(room))
}

/// The page of a room, for whoever has a name; its name is the one in the URL, letter by letter.
pub(crate) async fn show(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let visitor = app.logged_in(&headers).await;
    let (given, room) = match path {
        Ok(Path(given)) => (given.clone(), RoomName::new(&given).map_err(words::about_room)),
        Err(_) => (String::new(), Err(words::NOT_UTF8.to_owned())),
    };
    match (room, visitor) {
        (Err(reason), visitor) => refuse(&app, given, reason, visitor),
        (Ok(room), _) if room.as_str() != given => Redirect::to(&url(&room)).into_response(),
        (Ok(room), None) => {
            let remembered = wanted::remember(app.site.cookie_form(), &room);
            ([(SET_COOKIE, remembered)], Redirect::to("/")).into_response()
        }
        (Ok(room), Some(visitor)) => open(&app, &room, &visitor).await,
    }
}

fn refuse(app: &App, room: String, room_error: String, visitor: Option<Visitor>) -> Response {
    let username = visitor.map(|visitor| visitor.user.to_string()).unwrap_or_default();
    app.pages.entry(
        StatusCode::BAD_REQUEST,
        &EntryForm { username, room, room_error, ..EntryForm::default() },
    )
}

async fn open(app: &App, room: &RoomName, visitor: &Visitor) -> Response {
    // Its socket would be refused: who comes back too late chooses another name.
    let reason = match app.names.check(visitor).await {
        Err(NotAllowed::Taken) => words::TAKEN,
        Err(NotAllowed::LooksAlike) => words::LOOKS_ALIKE,
        // Where it is void by now, or the server full, the page learns so from the socket, and says so.
        Ok(())
        | Err(
            NotAllowed::LoggedOut | NotAllowed::TooMany | NotAllowed::Full | NotAllowed::NotKept,
        ) => return app.pages.chat(room, &visitor.user),
    };
    let form = EntryForm {
        username: visitor.user.to_string(),
        username_error: reason.to_owned(),
        room: room.to_string(),
        ..EntryForm::default()
    };
    app.pages.entry(StatusCode::CONFLICT, &form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_holds_every_name() {
        for (name, expected) in [
            ("lobby", "/rooms/lobby"),
            ("a b/c?d#e", "/rooms/a%20b%2Fc%3Fd%23e"),
            ("\u{e4}.~_-", "/rooms/%C3%A4.~_-"),
        ] {
            assert_eq!(url(&RoomName::new(name).unwrap()), expected);
        }
    }
}
