//! The application: what its routes share, and where they are.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, request::Parts},
    middleware::{from_fn_with_state, map_response_with_state},
    response::Redirect,
    routing::{get, post},
};
use chatrooms::{
    RoomRegistry,
    ws::{self, Endpoint},
};

use crate::{
    assets, auth::ByCookie, cookie::Cookies, creator::Creators, entry, headers, logout, moderation,
    names::Names, numbering::Numbering, origin, pace, pace::Pace, pages::Pages, room, site::Site,
    visitor::Visitor,
};

/// The most bytes of a form: both names at their longest, percent-encoded, many times over.
const FORM_BYTES: usize = 16 * 1024;

/// What all routes share. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) registry: RoomRegistry,
    pub(crate) creators: Creators,
    pub(crate) names: Names,
    pub(crate) browsers: Arc<Numbering>,
    pub(crate) cookies: Arc<Cookies>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) pace: Arc<Pace>,
    /// How sockets behave.
    pub(crate) sockets: ws::Options,
    pub(crate) site: Arc<Site>,
}

impl App {
    /// Who sends a request, where its cookie is good. It may have been voided since.
    pub(crate) fn signed_in(&self, headers: &HeaderMap) -> Option<Visitor> {
        self.cookies.read(headers, self.names.now())
    }

    /// Who sends a request, where nobody has voided the cookie.
    pub(crate) async fn logged_in(&self, headers: &HeaderMap) -> Option<Visitor> {
        let visitor = self.signed_in(headers)?;
        self.names.is_logged_in(&visitor).await.then_some(visitor)
    }

    /// Where a request comes from, where that is known.
    pub(crate) fn address(&self, request: &Parts) -> Option<IpAddr> {
        self.sockets.client_address.of(request)
    }

    /// All routes, those of the library at `/chat` included.
    pub(crate) fn router(self) -> Router {
        let site = self.site.clone();
        let chat = Endpoint::new(self.registry.clone(), ByCookie(self.clone()))
            .with_options(self.sockets.clone())
            .with_origins(site.origins());
        let keep_pace = from_fn_with_state(self.clone(), pace::keep);
        let posts = Router::new()
            .route("/rooms", post(entry::enter))
            .route("/logout", post(logout::log_out))
            .route("/rooms/{room}/moderation", post(moderation::act))
            .route_layer(keep_pace.clone())
            // Before the pace: what another site has a browser send is not that browser's haste.
            .route_layer(from_fn_with_state(site.clone(), origin::refuse_foreign))
            .layer(DefaultBodyLimit::max(FORM_BYTES));
        Router::new()
            .route("/", get(entry::show))
            .route("/rooms", get(async || Redirect::to("/")))
            .route("/rooms/{room}", get(room::show))
            .route("/rooms/{room}/moderation", get(moderation::show))
            .route_layer(keep_pace)
            .route("/static/{name}", get(assets::serve))
            .route("/healthz", get(health))
            .merge(posts)
            .with_state(self)
            .nest("/chat", chatrooms::axum::router(chat))
            .layer(map_response_with_state(site, headers::add))
    }
}

/// For whoever decides where to send traffic: not here any more once a shutdown has begun.
async fn health(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.registry.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down")
    } else {
        (StatusCode::OK, "ok")
    }
}

#[cfg(test)]
impl App {
    /// An application that leaves nothing behind.
    pub(crate) async fn for_tests() -> Self {
        use crate::{clock::Clock, secret};

        let site = Site::default();
        let creators = Creators::default();
        Self {
            registry: creators.start(RoomRegistry::builder()).await.unwrap(),
            creators,
            names: Names::of_this_process(Clock::start(), usize::MAX),
            browsers: Numbering::start().unwrap().into(),
            cookies: Cookies::new(secret::of_this_process().unwrap(), site.cookie_form()).into(),
            pages: Pages::load().unwrap().into(),
            pace: Arc::default(),
            sockets: ws::Options::default(),
            site: site.into(),
        }
    }
}
