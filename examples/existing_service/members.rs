//! Members and their logins, in the service's own database.

use std::{
    fmt,
    str::FromStr as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{
    Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

/// How long a login holds.
const LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS members (login TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS logins (token TEXT PRIMARY KEY, login TEXT NOT NULL REFERENCES members, until INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO members VALUES ('ada', 'Ada Lovelace', 'pro'), ('bob', 'Bob Builder', 'free'), ('eve', 'Eve', 'free');
";

/// All members. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Members {
    pool: SqlitePool,
}

#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) plan: Plan,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Plan {
    Free,
    Pro,
}

/// A browser in which a member has logged in.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) member: Member,
    pub(crate) token: String,
    pub(crate) until: SystemTime,
}

impl Members {
    pub(crate) async fn open(url: &str) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool })
    }

    /// Logs a member in and hands out the token for their cookie; `None` where there is no such member.
    pub(crate) async fn log_in(&self, login: &str) -> sqlx::Result<Option<String>> {
        let token = random_token();
        let until = in_seconds(SystemTime::now() + LIFETIME);
        let member = "INSERT INTO logins SELECT ?, login, ? FROM members WHERE login = ?";
        let inserted = sqlx::query(member).bind(&token).bind(until).bind(login);
        let is_member = inserted.execute(&self.pool).await?.rows_affected() == 1;
        Ok(is_member.then_some(token))
    }

    /// The login of this token, while it holds.
    pub(crate) async fn login(&self, token: &str) -> sqlx::Result<Option<Login>> {
        let logins = "SELECT token, until, login, name, plan FROM logins JOIN members USING (login)
            WHERE token = ? AND until > ?";
        let found = sqlx::query(logins).bind(token).bind(in_seconds(SystemTime::now()));
        found.fetch_optional(&self.pool).await?.map(|row| Login::read(&row)).transpose()
    }

    /// Ends all logins of a member, in whichever browser.
    pub(crate) async fn log_out(&self, member: &Member) -> sqlx::Result<()> {
        let ended = sqlx::query("DELETE FROM logins WHERE login = ?").bind(&member.login);
        ended.execute(&self.pool).await.map(drop)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

impl Login {
    fn read(row: &SqliteRow) -> sqlx::Result<Self> {
        let plan = if row.try_get::<&str, _>("plan")? == "pro" { Plan::Pro } else { Plan::Free };
        let member = Member { login: row.try_get("login")?, name: row.try_get("name")?, plan };
        let until = row.try_get::<i64, _>("until")?.cast_unsigned();
        let until = UNIX_EPOCH + Duration::from_secs(until);
        Ok(Self { member, token: row.try_get("token")?, until })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Free => "free",
            Self::Pro => "pro",
        })
    }
}

/// The time as the database keeps it.
fn in_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed()
}

/// What nobody can guess.
fn random_token() -> String {
    let parts =
        [(); 4].map(|()| getrandom::u64().expect("the operating system gives random bytes"));
    parts.map(|part| format!("{part:016x}")).concat()
}
