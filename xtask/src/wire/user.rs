//! Somebody who has entered.

use std::thread;

use super::{Answer, Link, Request, Socket, Target, Wrong};

/// A user with the cookie of their browser.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) target: Target,
    pub(crate) name: String,
    /// As a browser sends it.
    pub(crate) cookie: String,
}

impl User {
    /// Enters by the form, as a page does.
    pub(crate) fn enter(target: Target, name: &str) -> Result<Self, Wrong> {
        let answer = Link::new(target)?.ask(&Request::entry(target, name, "hall"))?;
        answer.is(303)?;
        let cookie = answer.header("Set-Cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.ok_or_else(|| Wrong("no cookie".to_owned()))?.to_owned();
        Ok(Self { target, name: name.to_owned(), cookie })
    }

    /// A request with the cookie.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.target, method, path).header("Cookie", &self.cookie)
    }

    /// Asks, each time on a connection of its own, until it is no longer told that it was too fast: that is tried elsewhere.
    pub(crate) fn ask(&self, request: &Request) -> Result<Answer, Wrong> {
        self.ask_on(request).map(|(_, answer)| answer)
    }

    pub(crate) fn open(&self) -> Result<Socket, Wrong> {
        let handshake = Request::upgrade(self.target).header("Cookie", &self.cookie);
        let (link, answer) = self.ask_on(&handshake)?;
        answer.is(101)?;
        Socket::open(link)
    }

    fn ask_on(&self, request: &Request) -> Result<(Link, Answer), Wrong> {
        loop {
            let mut link = Link::new(self.target)?;
            let answer = link.ask(request)?;
            match answer.too_fast() {
                Some(wait) => thread::sleep(wait),
                None => return Ok((link, answer)),
            }
        }
    }
}
