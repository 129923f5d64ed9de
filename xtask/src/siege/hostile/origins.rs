//! Pages of other sites.

use super::{
    super::wire::Request,
    attack::{Attack, Attacker, SHORT},
};

pub(super) const FOREIGN_PAGES: Attack = Attack {
    name: "sockets and messages from foreign pages",
    answer: "403 forbidden",
    takes: SHORT,
    round: |attacker| {
        let user = &attacker.user;
        for origin in foreign(attacker) {
            let upgrade = Request::upgrade(attacker.target()).header("Cookie", &user.cookie);
            user.ask(&upgrade.header("Origin", &origin))?.is_error(403, "forbidden")?;
            let post = Request::post(attacker.target(), &attacker.room, "from elsewhere");
            let post = post.header("Cookie", &user.cookie).header("Origin", &origin);
            user.ask(&post)?.is_error(403, "forbidden")?;
        }
        Ok(())
    },
};

pub(super) const FOREIGN_FORMS: Attack = Attack {
    name: "forms of foreign pages",
    answer: "403",
    takes: SHORT,
    round: |attacker| {
        let user = &attacker.user;
        for origin in foreign(attacker) {
            let entry = Request::entry(attacker.target(), "lured", "hall");
            user.ask(&entry.header("Origin", &origin))?.is(403)?;
            user.ask(&user.request("POST", "/logout").header("Origin", &origin))?.is(403)?;
        }
        user.open()?.close()
    },
};

/// Every one that is not exactly that of the page, look-alikes included.
fn foreign(attacker: &Attacker) -> Vec<String> {
    let own = attacker.target().0;
    let next_port = own.port() ^ 1;
    vec![
        "null".to_owned(),
        "https://evil.example".to_owned(),
        format!("http://{own}.evil.example"),
        format!("http://evil{own}"),
        format!("http://{own}@evil.example"),
        format!("http://user@{own}"),
        format!("http://{own}/"),
        format!("http://{}:{next_port}", own.ip()),
        format!("http://{}", own.ip()),
        format!("http://localhost:{}", own.port()),
        own.to_string(),
    ]
}
