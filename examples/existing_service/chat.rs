//! All of the chat: who is let in, which rooms are for whom, and how it begins and ends.

use std::time::Duration;

use axum::{Router, http::request::Parts};
use chatrooms::{
    CloseReason, Error, Identity, RoomName, RoomPolicy, RoomRegistry, StoreError, UserName,
    async_trait,
    ws::{Authenticator, Endpoint, Refusal},
};

use crate::{
    cookie,
    members::{Login, Member, Members, Plan},
};

/// The rooms of this service. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Chat {
    endpoint: Endpoint,
}

impl Chat {
    pub(crate) async fn start(members: Members) -> Result<Self, StoreError> {
        let registry = RoomRegistry::builder().policy(ByPlan).start().await?;
        Ok(Self { endpoint: Endpoint::new(registry, ByCookie(members)) })
    }

    /// To be nested wherever the service likes, with its own middleware around.
    pub(crate) fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        chatrooms::axum::router(self.endpoint.clone())
    }

    /// Ends all sockets of a member; when it returns, they are in no room any more.
    pub(crate) fn end(&self, member: &Member) {
        if let Ok(user) = UserName::new(&member.login) {
            self.endpoint.registry().end_sessions(&user, &CloseReason::LoggedOut);
        }
    }

    /// Tells everybody when to come back, and lets them go.
    pub(crate) async fn shut_down(&self) {
        self.endpoint.registry().shutdown(Duration::from_secs(5)).await;
    }
}

/// Knows members by the cookie that the service has given them.
struct ByCookie(Members);

#[async_trait]
impl Authenticator for ByCookie {
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal> {
        let token = cookie::token(&request.headers).ok_or(Refusal::Unauthorized)?;
        let login = self.0.login(&token).await.map_err(|error| {
            tracing::error!(%error, "the members cannot be asked");
            Refusal::Unavailable { retry_after: Duration::from_secs(5) }
        })?;
        let login = login.ok_or(Refusal::Unauthorized)?;
        let user = UserName::new(&login.member.login).map_err(|_| Refusal::Forbidden)?;
        let identity = Identity::new(user).display_name(&login.member.name).expires_at(login.until);
        Ok(identity.claims(login))
    }

    /// Asked once more when the socket is known to the registry, so that a logout which ran meanwhile is never missed, and then from time to
    /// time. A database that gives no answer has taken nothing back.
    async fn still_valid(&self, identity: &Identity) -> bool {
        let Some(Login { token, .. }) = identity.claim() else { return false };
        !matches!(self.0.login(token).await, Ok(None))
    }
}

/// Rooms whose name begins with `pro ` are for members on that plan.
#[derive(Debug)]
struct ByPlan;

#[async_trait]
impl RoomPolicy for ByPlan {
    async fn may_join(&self, who: &Identity, room: &RoomName) -> Result<(), Error> {
        let is_pro = who.claim::<Login>().is_some_and(|login| login.member.plan == Plan::Pro);
        if is_pro || !room.as_str().starts_with("pro ") {
            return Ok(());
        }
        let message = "this room is for members on the plan pro".into();
        Err(Error::Refused { code: "x-pro-only".into(), message })
    }
}
