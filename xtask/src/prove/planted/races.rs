//! What shows only when things happen at the same time: no test of one order of events could catch it.

use super::{Bug, change, model, rooms};

const LIVE: &str = "chatrooms-core/src/live.rs";
const PEER: &str = "chatrooms-core/src/peer.rs";
const ROOM: &str = "chatrooms-core/src/room.rs";
const SHARED: &str = "chatrooms-core/src/shared.rs";
const SWEEPER: &str = "chatrooms-core/src/sweeper.rs";
const WRITER: &str = "chatrooms-core/src/writer.rs";
const WRITES: &str = "chatrooms-core/src/writes.rs";

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "emptiness is decided under the lock, and the room ended outside of it",
        promise: "P2 a life is purged once, and no other",
        changes: &[change(
            ROOM,
            "        peer.exit(&self.name);
        self.after_exit(&mut state, departure, shared, effects);
        true
",
            "        peer.exit(&self.name);
        let is_empty = live.roster.is_empty();
        drop(state);
        let mut state = lock(&self.state);
        if is_empty {
            self.end(&mut state, RoomEnd::Left, shared, effects);
        } else {
            self.after_exit(&mut state, departure, shared, effects);
        }
        true
",
        )],
        caught_by: model(
            "models::stories::the_last_leave_against_the_first_join_bit_by_bit",
        ),
    },
    Bug {
        name: "whether somebody is there is asked before their signal is relayed",
        promise: "H the host's rules hold",
        changes: &[change(
            ROOM,
            "        let relayed = self.change(shared, |live, effects| {
            if !live.roster.contains(user, from) {
                return Err(Error::NotInRoom);
            }
",
            "        if !self.ask(|live| live.roster.contains(user, from)).unwrap_or(false) {
            return Err(Error::NotInRoom);
        }
        let relayed = self.change(shared, |live, effects| {
",
        )],
        caught_by: model("models::stories::a_signal_against_a_kick"),
    },
    Bug {
        name: "a list of members is made under one lock and told under the next",
        promise: "P4 one order, the same for all",
        changes: &[change(
            ROOM,
            "        let told = self.change(shared, |live, effects| {
            let is_member = live.roster.contains(whom.user(), whom.id());
            if is_member {
                let bytes = shared.config.whole_reply();
                let page = live.roster.page(after, Some(whom.user()), bytes);
",
            "        let bytes = shared.config.whole_reply();
        let page = self.ask(|live| live.roster.page(after, Some(whom.user()), bytes));
        let page = page.map_err(|_| Error::NotInRoom)?;
        let told = self.change(shared, |live, effects| {
            let is_member = live.roster.contains(whom.user(), whom.id());
            if is_member {
",
        )],
        caught_by: model(
            "models::stories::a_list_of_members_against_those_who_come_and_go",
        ),
    },
    Bug {
        name: "the answer to a join goes into the queue after the lock",
        promise: "P3 a join is one cut",
        changes: &[
            change(
                LIVE,
                "        effects.pushed(peer, peer.outbox.push(Outgoing::Event(event)));
        joined
",
                "        drop(event);
        joined
",
            ),
            change(
                ROOM,
                "        effects.run(shared);
        entered
",
                "        if let Ok(joined) = &entered {
            let event = Event::new(room.name().clone(), EventKind::Joined(Arc::clone(joined)));
            effects.pushed(peer, peer.outbox.push(Outgoing::Event(event)));
        }
        effects.run(shared);
        entered
",
            ),
        ],
        caught_by: model("models::stories::messages_against_a_join"),
    },
    Bug {
        name: "what was said is loaded before somebody is let in",
        promise: "P3 a join is one cut",
        changes: &[
            change(LIVE, "    fn cut(&self,", "    pub(crate) fn cut(&self,"),
            change(
                LIVE,
                "        effects: &mut Effects,
    ) -> Result<Arc<Joined>, Error> {
",
                "        effects: &mut Effects,
        early: Option<Vec<Arc<Message>>>,
    ) -> Result<Arc<Joined>, Error> {
",
            ),
            change(
                LIVE,
                "        let (cut, size) = self.cut(peer, join, &shared.config);
",
                "        let (mut cut, size) = self.cut(peer, join, &shared.config);
        cut.messages = early.unwrap_or(cut.messages);
",
            ),
            change(
                ROOM,
                "        let mut effects = Effects::default();
        let entered = {
",
                "        let early = room.live(|live| live.cut(peer, join, &shared.config).0.messages);
        let mut effects = Effects::default();
        let entered = {
",
            ),
            change(
                ROOM,
                "live.enter(room, peer, join, shared, &mut effects)",
                "live.enter(room, peer, join, shared, &mut effects, early)",
            ),
        ],
        caught_by: model("models::stories::messages_against_a_join"),
    },
    Bug {
        name: "a message is announced after the lock",
        promise: "P3 a join is one cut",
        changes: &[
            change(
                LIVE,
                "    telling: Option<AbortOnDropHandle<()>>,
}
",
                "    telling: Option<AbortOnDropHandle<()>>,
    pub(crate) unsaid: Vec<Arc<Event>>,
}
",
            ),
            change(
                LIVE,
                "            telling: None,
        }
",
                "            telling: None,
            unsaid: Vec::new(),
        }
",
            ),
            change(
                LIVE,
                "        effects.tally.deliveries += self.push(&events, None, effects);
",
                "        self.unsaid.extend(events);
",
            ),
            change(
                ROOM,
                "        self.change(shared, |live, effects| live.deliver(&self.name, messages, effects));
",
                "        self.change(shared, |live, effects| live.deliver(&self.name, messages, effects));
        self.change(shared, |live, effects| {
            let unsaid = std::mem::take(&mut live.unsaid);
            live.push(&unsaid, None, effects)
        });
",
            ),
        ],
        caught_by: model("models::stories::messages_against_a_join"),
    },
    Bug {
        name: "a redaction is noted after the lock",
        promise: "P3 a join is one cut",
        changes: &[change(
            ROOM,
            "        self.change(shared, |live, effects| live.redact(&self.name, seq, by, effects));
",
            "        let peers = self.live(|live| live.roster.peers().cloned().collect::<Vec<_>>());
        let event = Event::new(self.name.clone(), EventKind::Redacted { seq, by: by.clone() });
        let mut early = Effects::default();
        for peer in peers.into_iter().flatten() {
            early.pushed(&peer, peer.outbox.push(Outgoing::Event(Arc::clone(&event))));
        }
        early.run(shared);
        self.live(|live| live.redact_silently(seq));
",
        ),
        change(
            LIVE,
            "    /// Forgets the messages before `oldest`.
",
            "    pub(crate) fn redact_silently(&mut self, seq: u64) {
        self.recent.redact(seq);
        self.redacted.insert(seq, self.head);
    }

    /// Forgets the messages before `oldest`.
",
        )],
        caught_by: model("models::stories::a_redaction_against_a_join"),
    },
    Bug {
        name: "the writer says that it has stopped after it has",
        promise: "P4 one order, the same for all",
        changes: &[
            change(WRITES, "        self.running = batch.is_some();\n", ""),
            change(
                WRITES,
                "    /// The deadlines come in the order of the queue.
",
                "    pub(crate) fn stopped(&mut self) {
        self.running = false;
    }

    /// The deadlines come in the order of the queue.
",
            ),
            change(
                WRITER,
                "        batches += 1;
        if batches.is_multiple_of(IN_A_ROW) {
            yield_once().await;
        }
    }
",
                "        batches += 1;
        if batches.is_multiple_of(IN_A_ROW) {
            yield_once().await;
        }
    }
    room.live(|live| live.writes.stopped());
",
            ),
        ],
        caught_by: model("models::stories::two_who_speak_at_once"),
    },
    Bug {
        name: "a watch looks for rooms before it is on the list",
        promise: "P3 a join is one cut",
        changes: &[change(
            "chatrooms-core/src/watch.rs",
            "    let watcher = shared.watchers.add(of, registry.config());
    let rooms = of.map_or_else(|| shared.rooms(), |room| shared.find(room).into_iter().collect());
",
            "    let rooms = of.map_or_else(|| shared.rooms(), |room| shared.find(room).into_iter().collect());
    let watcher = shared.watchers.add(of, registry.config());
",
        )],
        caught_by: model("models::stories::a_watch_against_a_life"),
    },
    Bug {
        name: "whether the registry stops is asked before the session stands in the list",
        promise: "P9 a shutdown is graceful",
        changes: &[
            change(
                SHARED,
                "        if !self.session_count.add_below(self.config.sessions) {
",
                "        if self.is_stopping() {
            return Err(Error::ShuttingDown);
        }
        if !self.session_count.add_below(self.config.sessions) {
",
            ),
            change(
                SHARED,
                "            if self.is_stopping() {
                Err(Error::ShuttingDown)
            } else if sessions.len()",
                "            if sessions.len()",
            ),
        ],
        caught_by: model("models::stories::a_join_against_a_shutdown"),
    },
    Bug {
        name: "a purge is pending only when it has begun",
        promise: "P9 a shutdown is graceful",
        changes: &[
            change(
                SWEEPER,
                "        self.pending.add();
        Owed(life)
",
                "        Owed(life)
",
            ),
            change(
                SWEEPER,
                "        self.metrics.purges_pending.add(1);
        let sweeper",
                "        self.pending.add();
        self.metrics.purges_pending.add(1);
        let sweeper",
            ),
        ],
        caught_by: model("models::stories::a_return_against_the_end_of_a_linger"),
    },
    Bug {
        name: "a shutdown waits for the tasks of purges, and for none that has yet to begin",
        promise: "P9 a shutdown is graceful",
        changes: &[change(SWEEPER, "        self.pending.none().await;\n", "")],
        caught_by: model("models::stories::a_kick_against_a_shutdown"),
    },
    Bug {
        name: "somebody is put out before the ban stands",
        promise: "H the host's rules hold",
        changes: &[change(
            "chatrooms-core/src/moderation.rs",
            "        let (imposed, shared) =
            self.impose(&room, |all, limit| all.ban(user.clone(), until, limit))?;
        imposed?;
        // By the room and not by its name, which may be another life's by now. Behind the ban in the cluster, too, so that nobody comes in between.
        let removed = self.remove_from(&room, Some(user), Removal::Banned, reason).await;
",
            "        let removed = self.remove_from(&room, Some(user), Removal::Banned, reason).await;
        let (imposed, shared) =
            self.impose(&room, |all, limit| all.ban(user.clone(), until, limit))?;
        imposed?;
",
        )],
        caught_by: model("models::stories::a_ban_against_a_join"),
    },
    Bug {
        name: "whether a session has ended is asked before its list is locked",
        promise: "P1 atomic membership",
        changes: &[change(
            PEER,
            "        if rooms.closed {
            return Err(Error::SessionEnded);
        }
",
            "",
        )],
        caught_by: model("models::stories::the_end_of_a_session_against_its_joins"),
    },
    Bug {
        name: "a room that lingers is ended by the clock alone",
        promise: "P8 no ghosts, and a deploy loses nothing",
        changes: &[change(
            ROOM,
            "            let mut state = lock(&self.state);
            if state.is_deserted() {
                self.end(&mut state, RoomEnd::Expired, shared, &mut effects);
            }
",
            "            let is_deserted = lock(&self.state).is_deserted();
            if is_deserted {
                self.end(&mut lock(&self.state), RoomEnd::Expired, shared, &mut effects);
            }
",
        )],
        caught_by: model("models::stories::a_return_against_the_end_of_a_linger"),
    },
    Bug {
        name: "the sessions of a user are counted before one more is added",
        promise: "P10 nothing is unbounded",
        changes: &[
            change(
                SHARED,
                "        let added = {
",
                "        let there = self.sessions_of(peer.user()).len();
        let added = {
",
            ),
            change(
                SHARED,
                "} else if sessions.len() >= self.config.sessions_per_user {",
                "} else if there >= self.config.sessions_per_user {",
            ),
        ],
        caught_by: model("models::stories::two_for_one_place"),
    },
    Bug {
        name: "emptiness is decided under the lock, and the room ended after others had a turn",
        promise: "P1 atomic membership",
        changes: &[change(
            ROOM,
            "        peer.exit(&self.name);
        self.after_exit(&mut state, departure, shared, effects);
        true
",
            "        peer.exit(&self.name);
        let is_empty = live.roster.is_empty();
        drop(state);
        std::thread::yield_now();
        let mut state = lock(&self.state);
        if is_empty {
            self.end(&mut state, RoomEnd::Left, shared, effects);
        } else {
            self.after_exit(&mut state, departure, shared, effects);
        }
        true
",
        )],
        caught_by: rooms(HISTORIES),
    },
    Bug {
        name: "whoever said something is answered before it can be read",
        promise: "P4 one order, the same for all",
        changes: &[change(
            WRITER,
            "        self.deliver(fresh).await;
        for (outcome, answer) in answers {
            // Whoever asked may have gone.
            let _ = outcome.sender.send(answer);
        }
",
            "        for (outcome, answer) in answers {
            let _ = outcome.sender.send(answer);
        }
        tokio::task::yield_now().await;
        self.deliver(fresh).await;
",
        )],
        caught_by: rooms(HISTORIES),
    },
];

/// Real threads, which a bug gives the time to meet.
const HISTORIES: &str = "histories::what_happens_at_the_same_time_has_an_order";
