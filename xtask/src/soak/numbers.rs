//! What the server says of itself, and what the system says of it.

use std::{collections::HashMap, fs};

use crate::{
    application::Application,
    memory,
    wire::{Link, Request, Wrong},
};

/// At one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    /// MiB.
    pub(super) memory: f64,
    pub(super) threads: f64,
    pub(super) descriptors: f64,
    pub(super) tasks: f64,
    pub(super) sessions: f64,
    pub(super) rooms: f64,
    pub(super) connections: f64,
    /// Bytes that wait for sessions.
    pub(super) waiting: f64,
    pub(super) purges: f64,
    /// Sessions that it has ended because they did not read, and because they answered nothing.
    pub(super) slow: f64,
    pub(super) silent: f64,
}

impl Numbers {
    pub(super) fn of(application: &Application) -> Result<Self, String> {
        let told = |wrong: Wrong| format!("the server's numbers: {wrong}");
        let target = application.numbers.ok_or_else(|| "the server has no numbers".to_owned())?;
        let mut link = Link::new(target).map_err(told)?;
        let request = Request::new(target, "GET", "/metrics").header("Connection", "close");
        let answer = link.ask(&request).map_err(told)?;
        answer.is(200).map_err(told)?;
        let process = application.process();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:"));
        let mut numbers = Self::read(&answer.body)?;
        numbers.memory = memory::mebibytes(process).ok_or("the server's memory is not known")?;
        numbers.threads = threads.and_then(|count| count.trim().parse().ok()).unwrap_or(f64::NAN);
        Ok(numbers)
    }

    /// Those of a page for Prometheus.
    fn read(page: &str) -> Result<Self, String> {
        let lines = page.lines().filter_map(|line| line.rsplit_once(' '));
        let page: HashMap<&str, &str> = lines.collect();
        let number = |name: &str| {
            let value = page.get(name).and_then(|value| value.parse().ok());
            value.ok_or_else(|| format!("the server does not say its {name}"))
        };
        Ok(Self {
            memory: f64::NAN,
            threads: f64::NAN,
            descriptors: number("process_open_fds")?,
            tasks: number("full_app_tasks")?,
            sessions: number("chatrooms_sessions")?,
            rooms: number("chatrooms_rooms")?,
            connections: number("chatrooms_connections")?,
            waiting: number("chatrooms_outbox_bytes")?,
            purges: number("chatrooms_purges_pending")?,
            slow: number("chatrooms_sessions_ended_total{reason=\"slow_consumer\"}")?,
            silent: number("chatrooms_sessions_ended_total{reason=\"heartbeat_timeout\"}")?,
        })
    }

    /// Those that have to be as they were before anybody came, and what they are called.
    pub(super) const fn that_return(&self) -> [(&'static str, f64); 7] {
        [
            ("sockets", self.sessions),
            ("connections", self.connections),
            ("rooms", self.rooms),
            ("bytes that wait", self.waiting),
            ("purges that wait", self.purges),
            ("descriptors", self.descriptors),
            ("tasks", self.tasks),
        ]
    }

    pub(super) fn is_back_at(&self, before: &Self) -> bool {
        let pairs = self.that_return().into_iter().zip(before.that_return());
        pairs.into_iter().all(|((_, now), (_, then))| now <= then)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const PAGE: &str = "# HELP chatrooms_rooms Rooms.\n# TYPE chatrooms_rooms gauge\nchatrooms_rooms 3\nchatrooms_sessions 7\n\
        chatrooms_connections 9\nchatrooms_outbox_bytes 100\nchatrooms_purges_pending 1\nprocess_open_fds 20\nfull_app_tasks 30\n\
        chatrooms_sessions_ended_total{reason=\"slow_consumer\"} 5\nchatrooms_sessions_ended_total{reason=\"heartbeat_timeout\"} 6\n";

    #[test]
    fn a_page_is_read() {
        let numbers = Numbers::read(PAGE).expect("all is there");
        assert_eq!((numbers.rooms, numbers.sessions, numbers.tasks), (3.0, 7.0, 30.0));
        assert_eq!((numbers.slow, numbers.silent), (5.0, 6.0));
        assert_eq!((numbers.descriptors, numbers.waiting, numbers.purges), (20.0, 100.0, 1.0));
    }

    #[test]
    fn what_is_not_said_is_not_taken_for_none() {
        let page = PAGE.replace("full_app_tasks 30", "");
        assert!(Numbers::read(&page).is_err_and(|problem| problem.contains("full_app_tasks")));
    }

    #[test]
    fn whatever_is_left_is_not_back() {
        let before = Numbers { descriptors: 20.0, tasks: 30.0, ..Numbers::default() };
        assert!(before.is_back_at(&before));
        assert!(Numbers { tasks: 29.0, memory: 99.0, ..before }.is_back_at(&before));
        for left in [
            Numbers { rooms: 1.0, ..before },
            Numbers { descriptors: 21.0, ..before },
            Numbers { tasks: 31.0, ..before },
            Numbers { purges: 1.0, ..before },
            Numbers { waiting: f64::NAN, ..before },
        ] {
            assert!(!left.is_back_at(&before), "{left:?}");
        }
    }
}
