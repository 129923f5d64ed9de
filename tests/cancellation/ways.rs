//! The ways in which a request comes to the chat: by itself, or by a framework.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::FromRequestParts as _,
    http::{Request, Response},
};
use chatrooms::{Identity, axum as axum_chat, testing::user, warp as warp_chat, ws::Endpoint};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use warp::Filter as _;

use crate::house::GUEST;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Endpoint,
    Axum,
    Warp,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Endpoint, Self::Axum, Self::Warp];

    /// Has a request answered by the routes of the chat.
    pub(crate) async fn handle(
        self,
        chat: Endpoint,
        path: &str,
        request: Request<String>,
    ) -> Response<Body> {
        match self {
            Self::Endpoint => chat.handle(path, request).await.map(Body::from),
            Self::Axum => {
                let app: Router = axum_chat::router(chat);
                TowerToHyperService::new(app).call(request).await.unwrap()
            }
            Self::Warp => {
                let app = TowerToHyperService::new(warp::service(warp_chat::routes(chat)));
                app.call(request).await.unwrap().map(Body::new)
            }
        }
    }

    /// Has a socket opened for the guest by a handler of the host's.
    pub(crate) async fn accept(self, chat: &Endpoint, request: Request<String>) -> Response<Body> {
        let (guest, rooms) = (Identity::new(user(GUEST)), ["lobby"]);
        match self {
            Self::Endpoint => {
                let (parts, _) = request.into_parts();
                let rooms = rooms.map(str::to_owned).to_vec();
                chat.accept(parts, guest, rooms).await.map(Body::from)
            }
            Self::Axum => {
                let (mut parts, _) = request.into_parts();
                let upgrade = axum_chat::Upgrade::from_request_parts(&mut parts, &()).await;
                upgrade.unwrap().accept(chat, guest, rooms).await
            }
            Self::Warp => {
                let taken = Arc::new(Mutex::new(None));
                let take = Arc::clone(&taken);
                let handler = warp_chat::upgrade().map(move |upgrade: warp_chat::Upgrade| {
                    *take.lock().unwrap() = Some(upgrade);
                    ""
                });
                let app = TowerToHyperService::new(warp::service(handler));
                app.call(request).await.unwrap();
                let upgrade = taken.lock().unwrap().take().expect("the handler was asked");
                upgrade.accept(chat, guest, rooms).await.map(Body::new)
            }
        }
    }
}
