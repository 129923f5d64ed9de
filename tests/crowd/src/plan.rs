//! What is asked for.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

/// As it is said on the command line, in JSON.
#[derive(Debug, Deserialize)]
struct Words {
    address: SocketAddr,
    seconds: u64,
    seed: u64,
    houses: usize,
    guests: usize,
    silent_seconds: u64,
    cookies: PathBuf,
    database: PathBuf,
}

/// Who is where, and for how long.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) time: Duration,
    /// What is left to chance follows from it, as far as the order of events allows.
    pub(crate) seed: u64,
    pub(crate) houses: usize,
    /// Sockets in each house.
    pub(crate) guests: usize,
    /// Whoever answers nothing for so long has been let go, whatever the machine of the server did meanwhile.
    pub(crate) silent: Duration,
    pub(crate) database: PathBuf,
    /// By house: its director's first.
    cookies: Vec<String>,
}

/// So many sockets are one user's: tabs.
const TABS: usize = 2;

impl Plan {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let words: Words = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let plan = Self {
            address: words.address,
            time: Duration::from_secs(words.seconds),
            seed: words.seed,
            houses: words.houses,
            guests: words.guests,
            silent: Duration::from_secs(words.silent_seconds),
            database: words.database,
            cookies: cookies(&words.cookies)?,
        };
        let needed = plan.houses * plan.users();
        if plan.cookies.len() < needed {
            return Err(format!("{} cookies, and {needed} are needed", plan.cookies.len()));
        }
        Ok(plan)
    }

    /// The users of one house, its director included.
    const fn users(&self) -> usize {
        1 + self.guests.div_ceil(TABS)
    }

    pub(crate) fn director(&self, house: usize) -> &str {
        &self.cookies[house * self.users()]
    }

    pub(crate) fn guest(&self, house: usize, number: usize) -> &str {
        &self.cookies[house * self.users() + 1 + number / TABS]
    }
}

fn cookies(path: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(cookies: usize) -> Plan {
        Plan {
            address: ([127, 0, 0, 1], 0).into(),
            time: Duration::ZERO,
            seed: 1,
            houses: 2,
            guests: 5,
            silent: Duration::ZERO,
            database: PathBuf::new(),
            cookies: (0..cookies).map(|number| number.to_string()).collect(),
        }
    }

    #[test]
    fn two_tabs_are_one_user_and_no_house_shares_a_user_with_another() {
        let plan = plan(8);
        assert_eq!(plan.houses * plan.users(), 8);
        assert_eq!((plan.director(0), plan.director(1)), ("0", "4"));
        let guests = |house| (0..5).map(|number| plan.guest(house, number)).collect::<Vec<_>>();
        assert_eq!(guests(0), ["1", "1", "2", "2", "3"]);
        assert_eq!(guests(1), ["5", "5", "6", "6", "7"]);
    }

    #[test]
    fn a_plan_that_lacks_something_is_none() {
        assert!(Plan::read("{}").is_err_and(|problem| problem.contains("address")));
    }
}
