//! `/rooms/{room}/moderation`: what the creator of a room sees and does.

use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chatrooms::{Epoch, ModerationError, RoomName, UserName};
use serde::Serialize;

use crate::{
    app::App,
    form,
    order::{Fields, Order, Undone},
    visitor::Visitor,
    words,
};

/// How things stand for whoever asks.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Standing {
    /// Whether they are the creator of the room's current life. If not, there is nothing more to say.
    creator: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    banned: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    muted: Vec<String>,
    slow_seconds: u64,
}

/// Why not, for the one who asked.
type Refusal = (StatusCode, String);

/// `GET`: whether the visitor may moderate the room, and what is imposed there.
pub(crate) async fn show(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let standing = async {
        let visitor = app.logged_in(&headers).await.ok_or_else(not_logged_in)?;
        standing(&app, &room_in(path)?, &visitor).await
    };
    answer(standing.await)
}

/// `POST`: carries out an order, and answers with how things stand then.
pub(crate) async fn act(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    answer(obey(&app, path, request).await)
}

async fn obey(
    app: &App,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Standing, Refusal> {
    let headers = request.headers().clone();
    // Who is nobody need not be read to the end.
    app.signed_in(&headers).ok_or_else(not_logged_in)?;
    let room = room_in(path)?;
    let fields: Fields =
        form::read(request).await.map_err(|status| (status, words::NO_FORM.to_owned()))?;
    let visitor = app.logged_in(&headers).await.ok_or_else(not_logged_in)?;
    let (order, life) = judge(app, &room, &visitor, &fields).await?;
    let told = order.carry_out(&app.registry, (&room, life)).await.map_err(why_not)?;
    if let Some(post) = told
        && let Err(error) = app.registry.moderation(&room).of(life).announce(post).await
    {
        // It holds all the same.
        tracing::warn!(%error, "a room was not told of its slow mode");
    }
    app.creators.tell(&visitor.user, &room);
    standing(app, &room, &visitor).await
}

/// What is to be done, and to which life alone, where this visitor may say so.
async fn judge(
    app: &App,
    room: &RoomName,
    visitor: &Visitor,
    fields: &Fields,
) -> Result<(Order, Epoch), Refusal> {
    let life = app.creators.life(room, visitor).await;
    let life = life.ok_or_else(|| (StatusCode::FORBIDDEN, words::NOT_CREATOR.to_owned()))?;
    let order = Order::read(fields).map_err(|why| (StatusCode::BAD_REQUEST, why))?;
    // What the page shows may be of an earlier life that was this visitor's too.
    if fields.epoch != life.to_string() {
        return Err((StatusCode::NOT_FOUND, words::ANOTHER_LIFE.to_owned()));
    }
    if let Some(user) = order.whom()
        && app.names.is_own(visitor, user).await
    {
        return Err((StatusCode::FORBIDDEN, words::ONESELF.to_owned()));
    }
    Ok((order, life))
}

async fn standing(app: &App, room: &RoomName, visitor: &Visitor) -> Result<Standing, Refusal> {
    let Some(life) = app.creators.life(room, visitor).await else {
        return Ok(Standing::default());
    };
    let why_not = |error: ModerationError| why_not(error.into());
    let moderation = app.registry.moderation(room).of(life);
    let names = |users: Vec<UserName>| users.iter().map(ToString::to_string).collect();
    Ok(Standing {
        creator: true,
        epoch: Some(life.to_string()),
        banned: names(moderation.banned().await.map_err(why_not)?),
        muted: names(moderation.muted().await.map_err(why_not)?),
        slow_seconds: moderation.slow_mode().await.map_err(why_not)?.as_secs(),
    })
}

fn why_not(undone: Undone) -> Refusal {
    let (status, why) = match undone {
        Undone::NotThere => (StatusCode::NOT_FOUND, words::NOT_HERE),
        Undone::Lifted => (StatusCode::NOT_FOUND, words::LIFTED),
        Undone::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, words::UNAVAILABLE),
        Undone::TooMany => (StatusCode::CONFLICT, words::TOO_MANY_IMPOSED),
    };
    (status, why.to_owned())
}

fn room_in(path: Result<Path<String>, PathRejection>) -> Result<RoomName, Refusal> {
    let Path(given) = path.map_err(|_| (StatusCode::BAD_REQUEST, words::NOT_UTF8.to_owned()))?;
    RoomName::new(&given).map_err(|error| (StatusCode::BAD_REQUEST, words::about_room(error)))
}

fn not_logged_in() -> Refusal {
    (StatusCode::FORBIDDEN, words::NOT_LOGGED_IN.to_owned())
}

fn answer(outcome: Result<Standing, Refusal>) -> Response {
    let answer =
        outcome.map_or_else(Refusal::into_response, |standing| Json(standing).into_response());
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::HeaderValue,
    };
    use chatrooms::{Identity, Join, Session};
    use serde_json::{Value, json};
    use tokio::task::yield_now;

    use super::*;
    use crate::visitor::BrowserId;

    /// Somebody in the lobby, with their cookie.
    struct Guest {
        visitor: Visitor,
        cookie: HeaderValue,
        session: Session,
    }

    impl Guest {
        async fn enter(app: &App, browser: u8, user: &str) -> Self {
            let (browser, user) = (BrowserId([browser; 16]), UserName::new(user).unwrap());
            let visitor = Visitor { browser, user, issued: app.names.now() };
            app.names.claim(&visitor, None).await.unwrap();
            let set = app.cookies.issue(&visitor);
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let identity = Identity::new(visitor.user.clone()).claims(visitor.clone());
            let session = app.registry.open_session(identity).unwrap();
            session.join(&lobby(), Join::default()).await.unwrap();
            Self { cookie: pair.parse().unwrap(), visitor, session }
        }

        async fn sees(&self, app: &App) -> (StatusCode, Value) {
            let headers = HeaderMap::from_iter([(header::COOKIE, self.cookie.clone())]);
            content(show(State(app.clone()), Ok(Path("lobby".into())), headers).await).await
        }

        async fn says(&self, app: &App, form: &str) -> (StatusCode, Value) {
            let epoch = app.registry.room(&lobby()).await.unwrap().epoch;
            post(app, Some(&self.cookie), format!("epoch={epoch}&{form}")).await
        }
    }

    fn lobby() -> RoomName {
        RoomName::new("lobby").unwrap()
    }

    async fn content(answer: Response) -> (StatusCode, Value) {
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let text = || Value::from(String::from_utf8_lossy(&body));
        (status, serde_json::from_slice(&body).unwrap_or_else(|_| text()))
    }

    async fn post(app: &App, cookie: Option<&HeaderValue>, form: String) -> (StatusCode, Value) {
        let mut request =
            Request::post("/").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(Body::from(form)).unwrap();
        content(act(State(app.clone()), Ok(Path("lobby".into())), request).await).await
    }

    /// A room that ada has opened and eve has come into.
    async fn house() -> (App, Guest, Guest) {
        let app = App::for_tests().await;
        let ada = Guest::enter(&app, 1, "ada").await;
        while app.creators.life(&lobby(), &ada.visitor).await.is_none() {
            yield_now().await;
        }
        let eve = Guest::enter(&app, 2, "eve").await;
        (app, ada, eve)
    }

    #[tokio::test]
    async fn the_creator_is_told_how_things_stand_and_others_only_that_they_are_not() {
        let (app, ada, eve) = house().await;
        let epoch = app.registry.room(&lobby()).await.unwrap().epoch.to_string();
        let creators = json!({"creator": true, "epoch": epoch, "slow_seconds": 0});
        assert_eq!(ada.sees(&app).await, (StatusCode::OK, creators));
        let others = json!({"creator": false, "slow_seconds": 0});
        assert_eq!(eve.sees(&app).await, (StatusCode::OK, others));
        let (status, standing) = ada.says(&app, "action=mute&user=eve").await;
        assert_eq!((status, &standing["muted"]), (StatusCode::OK, &json!(["eve"])));
        let (_, standing) = ada.says(&app, "action=slow&seconds=30").await;
        assert_eq!(standing["slow_seconds"], 30);
        let (_, standing) = ada.says(&app, "action=ban&user=eve").await;
        assert_eq!((&standing["banned"], &standing["muted"]), (&json!(["eve"]), &json!(["eve"])));
        assert_eq!(standing, ada.sees(&app).await.1);
    }

    #[tokio::test]
    async fn nobody_but_the_creator_does_anything() {
        let (app, ada, eve) = house().await;
        for form in ["action=kick&user=ada", "action=slow&seconds=5", "action=close", "action=?"] {
            let answer = eve.says(&app, form).await;
            assert_eq!(answer, (StatusCode::FORBIDDEN, words::NOT_CREATOR.into()), "{form}");
            let answer = post(&app, None, form.to_owned()).await;
            assert_eq!(answer, (StatusCode::FORBIDDEN, words::NOT_LOGGED_IN.into()), "{form}");
        }
        app.names.log_out(&ada.visitor, async |_| {}).await.unwrap();
        let answer = ada.says(&app, "action=close").await;
        assert_eq!(answer, (StatusCode::FORBIDDEN, words::NOT_LOGGED_IN.into()));
        assert_eq!(app.registry.room(&lobby()).await.unwrap().users, 2, "nothing has happened");
    }

    #[tokio::test]
    async fn after_the_creators_logout_nobody_moderates_any_more() {
        let (app, ada, eve) = house().await;
        app.names.log_out(&ada.visitor, async |_| {}).await.unwrap();
        let again = Guest::enter(&app, 3, "ada").await;
        for guest in [&again, &eve] {
            assert_eq!(guest.says(&app, "action=close").await.0, StatusCode::FORBIDDEN);
        }
    }

    #[tokio::test]
    async fn a_creator_does_nothing_to_themself_by_any_of_their_names() {
        let (app, ada, _eve) = house().await;
        let _countess = Guest::enter(&app, 1, "countess").await;
        for user in ["ada", "countess"] {
            for action in ["kick", "ban", "mute"] {
                let answer = ada.says(&app, &format!("action={action}&user={user}")).await;
                assert_eq!(
                    answer,
                    (StatusCode::FORBIDDEN, words::ONESELF.into()),
                    "{action} {user}"
                );
            }
        }
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_refused_in_a_sentence() {
        let (app, ada, _eve) = house().await;
        let bad = StatusCode::BAD_REQUEST;
        for (form, status, sentence) in [
            ("", bad, words::NO_ORDER),
            ("action=kick", bad, "Please choose a name."),
            ("action=ban&user=eve&seconds=7", bad, words::NO_TIME),
            ("action=kick&user=nobody", StatusCode::NOT_FOUND, words::NOT_HERE),
            ("action=unmute&user=eve", StatusCode::NOT_FOUND, words::LIFTED),
            ("action=unban&user=eve", StatusCode::NOT_FOUND, words::LIFTED),
            ("action=kick&action=kick", bad, words::NO_FORM),
        ] {
            assert_eq!(ada.says(&app, form).await, (status, sentence.into()), "{form}");
        }
        let stale = post(&app, Some(&ada.cookie), "epoch=0&action=close".into()).await;
        assert_eq!(stale, (StatusCode::NOT_FOUND, words::ANOTHER_LIFE.into()));
        let no_room = show(
            State(app.clone()),
            Ok(Path("..".into())),
            HeaderMap::from_iter([(header::COOKIE, ada.cookie.clone())]),
        );
        assert_eq!(content(no_room.await).await.0, bad);
    }

    #[tokio::test]
    async fn a_closed_room_has_no_creator_any_more() {
        let (app, ada, eve) = house().await;
        let (status, standing) = ada.says(&app, "action=close").await;
        assert_eq!((status, &standing["creator"]), (StatusCode::OK, &json!(false)));
        assert!(app.registry.room(&lobby()).await.is_err());
        assert!(ada.session.rooms().is_empty() && eve.session.rooms().is_empty());
    }
}
