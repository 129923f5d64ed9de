//! What the host does to people and rooms: kick, ban, mute, slow mode, close.

use std::time::Duration;

use tokio::time::Instant;

use crate::{Removal, RoomName, RoomRegistry, UserName, live::Live, sanctions::Sanctions};

/// Moderation. Bans, mutes and slow mode belong to the life of a room that is there, also while it lingers, and end with it. What has to last
/// is the host's to keep, and its policy's to enforce.
impl RoomRegistry {
    /// Removes a user from a room; says how many connections that were. They may come again.
    pub fn kick(&self, room: &RoomName, user: &UserName, reason: Option<&str>) -> usize {
        self.remove(room, Some(user), Removal::Kicked, reason)
    }

    /// Keeps a user out of a room for so long, and for the rest of its life at most, and removes them; says how many connections that were.
    ///
    /// A ban lasts no longer than the life of the room: whoever was alone there, and is banned, ends that life and the ban with it, and where there is no such
    /// room, or one that still opens, nobody is banned. Who must stay out of a room's next life too is refused by the policy's
    /// [`may_join`](crate::RoomPolicy::may_join).
    pub fn ban(
        &self,
        room: &RoomName,
        user: &UserName,
        time: Option<Duration>,
        reason: Option<&str>,
    ) -> usize {
        let until = end(time);
        self.sanction(room, |sanctions| sanctions.bans.impose(user.clone(), until));
        self.remove(room, Some(user), Removal::Banned, reason)
    }

    /// Lifts a ban; says whether there was one.
    pub fn unban(&self, room: &RoomName, user: &UserName) -> bool {
        self.sanction(room, |sanctions| sanctions.bans.lift(user)).unwrap_or(false)
    }

    /// Keeps a user from saying anything in a room for so long, or for the rest of its life: what they send is answered by
    /// [`Error::Muted`](crate::Error::Muted). They still hear everything. Says whether there is such a room.
    pub fn mute(&self, room: &RoomName, user: &UserName, time: Option<Duration>) -> bool {
        let until = end(time);
        self.sanction(room, |sanctions| sanctions.mutes.impose(user.clone(), until)).is_some()
    }

    /// Lifts a mute; says whether there was one.
    pub fn unmute(&self, room: &RoomName, user: &UserName) -> bool {
        self.sanction(room, |sanctions| sanctions.mutes.lift(user)).unwrap_or(false)
    }

    /// Who is muted in a room now, by name; nobody where there is no such room.
    #[must_use]
    pub fn muted(&self, room: &RoomName) -> Vec<UserName> {
        self.sanction(room, |sanctions| sanctions.mutes.held()).unwrap_or_default()
    }

    /// Has everybody in a room wait so long between two messages, 0 for not at all: what comes sooner is answered by
    /// [`Error::SlowMode`](crate::Error::SlowMode). Says whether there is such a room.
    ///
    /// [`RoomRules::slow_mode`](crate::RoomRules::slow_mode) has it from the beginning of a life. What the host says, as itself or as a user, waits for
    /// nothing.
    pub fn slow_mode(&self, room: &RoomName, wait: Duration) -> bool {
        self.sanction(room, |sanctions| sanctions.slow_down(wait)).is_some()
    }

    /// How long everybody in a room waits between two messages now; 0 where they do not, or where there is no such room.
    #[must_use]
    pub fn slow_mode_of(&self, room: &RoomName) -> Duration {
        self.sanction(room, |sanctions| sanctions.slow_mode).unwrap_or_default()
    }

    /// Ends a room's life, whether somebody is in it or it lingers; says how many connections that were.
    pub fn close_room(&self, room: &RoomName, reason: Option<&str>) -> usize {
        self.remove(room, None, Removal::RoomClosed, reason)
    }

    fn sanction<T>(&self, room: &RoomName, change: impl FnOnce(&mut Sanctions) -> T) -> Option<T> {
        self.shared().find(room)?.live(|live: &mut Live| change(&mut live.sanctions))
    }

    fn remove(
        &self,
        room: &RoomName,
        user: Option<&UserName>,
        code: Removal,
        reason: Option<&str>,
    ) -> usize {
        let Some(room) = self.shared().find(room) else { return 0 };
        room.remove(user, code, reason.map(Into::into), self.shared())
    }
}

/// `None` also for a time that no clock can hold.
fn end(time: Option<Duration>) -> Option<Instant> {
    time.and_then(|time| Instant::now().checked_add(time))
}
