//! What a broken promise is called, and where it was seen.

use std::{error::Error, fmt, ops::Deref};

use crate::{Epoch, RoomName, UserName, sync::Arc};

/// A promise that a trace shows broken, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// What is wrong.
    pub fault: Fault,
    /// Where it was seen.
    pub place: Place,
}

impl Violation {
    /// Which promise is broken.
    #[must_use]
    pub const fn promise(&self) -> Promise {
        self.fault.promise()
    }
}

/// A step in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Which client, as an index of [`Trace::clients`](super::Trace::clients).
    pub client: usize,
    /// Who that is.
    pub user: Option<UserName>,
    /// Which step, as an index of [`Log::steps`](super::Log::steps).
    pub step: usize,
    /// In which room.
    pub room: Option<RoomName>,
}

/// All that is wrong with a trace: at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(pub(super) Vec<Violation>);

impl Deref for Violations {
    type Target = [Violation];

    fn deref(&self) -> &[Violation] {
        &self.0
    }
}

impl Error for Violations {}

/// More than these would be read by nobody.
const SHOWN: usize = 20;

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken promises", self.0.len())?;
        for violation in self.0.iter().take(SHOWN) {
            write!(f, "\n- {violation}")?;
        }
        if self.0.len() > SHOWN {
            write!(f, "\n- and {} more", self.0.len() - SHOWN)?;
        }
        Ok(())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.promise(), self.fault, self.place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_ref().map_or("the host", UserName::as_str);
        write!(f, "client {}, {user}, step {}", self.client, self.step)?;
        self.room.iter().try_for_each(|room| write!(f, ", in {room}"))
    }
}

/// What is promised to clients, in the words of the wire protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Promise {
    /// A join is one cut: what was, and from there everything that happens, without a gap or a repeat.
    OneCut,
    /// Everybody in a room sees the same messages in the same order, which is that in which they were accepted.
    OneOrder,
    /// What was accepted is stored and delivered once.
    SentOnce,
    /// Nothing is shown that the store has not accepted, and nothing that nobody has said.
    StoredBeforeShown,
    /// A room's life ends with its last connection, and the next one begins empty.
    Ephemeral,
    /// Users come with their first connection and go with their last one, in turn.
    UsersNotTabs,
    /// A resume brings exactly what was missed.
    Resume,
    /// What was taken back stays so, and is told after its message.
    TakenBack,
    /// Every request has one answer, in its turn.
    Answered,
    /// Nothing comes after an end, and ends are called by their name.
    Ended,
    /// Nothing is unbounded.
    Bounded,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneCut => "a join is one cut",
            Self::OneOrder => "one order for everybody",
            Self::SentOnce => "sent once",
            Self::StoredBeforeShown => "stored before shown",
            Self::Ephemeral => "ephemeral",
            Self::UsersNotTabs => "users, not tabs",
            Self::Resume => "a resume is exact",
            Self::TakenBack => "taken back for good",
            Self::Answered => "one answer to each request",
            Self::Ended => "an end is an end",
            Self::Bounded => "nothing unbounded",
        })
    }
}

/// Makes the list of faults with the promise that each breaks and the words for it.
macro_rules! faults {
    ($($(#[$doc:meta])+ $promise:ident $fault:ident { $($(#[$field_doc:meta])+ $field:ident: $type:ty),* } $words:literal)+) => {
        /// What can be wrong with a trace.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])+ $fault { $($(#[$field_doc])+ $field: $type),* },)+
        }

        impl Fault {
            /// Which promise it breaks.
            #[must_use]
            pub const fn promise(&self) -> Promise {
                match self {
                    $(Self::$fault { .. } => Promise::$promise,)+
                }
            }

            /// What it is called.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$fault { .. } => stringify!($fault),)+
                }
            }

            /// What all of them are called.
            #[cfg(test)]
            pub(super) const NAMES: &[&str] = &[$(stringify!($fault)),+];
        }

        impl fmt::Display for Fault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$fault { $($field),* } => write!(f, $words),)+
                }
            }
        }
    };
}

faults! {
    /// A client was told of a room in which it is not, any more or yet, or granted there what only members are.
    OneCut NotInRoom {} "told of a room in which it is not, or granted what it asked for there"
    /// A join was granted in a room where the client is already.
    OneCut JoinedTwice {} "joined where it is already"
    /// The messages of a join are not consecutive, or do not end with the newest one.
    OneCut TornCut {
        /// The newest message, as the join has it.
        seq: u64
    } "the messages of a join are not those up to {seq}"
    /// The members of a join are not a list of different users with the client among them, or a list of members lacks the client.
    OneCut TornMembers {} "a list of members is not one of different users with oneself among them"
    /// Messages are missing.
    OneCut Gap {
        /// The last one before.
        head: u64,
        /// The first one after.
        seq: u64
    } "after message {head} came {seq}"
    /// A message came again, or an old one came late.
    OneCut Repeat {
        /// The newest one that had come.
        head: u64,
        /// The one that came.
        seq: u64
    } "after message {head} came {seq} again"
    /// A join, or a page of the newest messages, does not have what was known before it was asked for.
    OneCut Stale {
        /// The newest message that it has.
        seq: u64,
        /// What was known.
        known: u64
    } "it ends with message {seq}, and {known} was known before it was asked for"
    /// Somebody who stayed was not told of a message.
    OneCut Missed {
        /// The newest one that they were told of.
        head: u64,
        /// The newest one that there was.
        known: u64
    } "told of messages up to {head} and of none up to {known}"
    /// The messages of a page are not those that were asked for.
    OneCut TornPage {} "a page whose messages are not consecutive, or not those just before the one that was named"
    /// A join or a page has fewer messages than were asked for, and more are kept and would have fitted.
    OneCut Short {
        /// How many came.
        messages: usize
    } "only {messages} messages came, and more are kept"
    /// A join or a page says that no older messages are kept, and they are.
    OneCut OlderUntold {
        /// The newest one of them.
        seq: u64
    } "said to be all, and message {seq} is kept"
    /// A join or a page says that older messages are kept, and has the first one.
    OneCut NothingOlder {} "older messages are said to be kept, and there are none"
    /// A request was refused because the client is not in the room, where it is.
    OneCut Disowned {} "refused as not in the room, where it is"

    /// Two have seen different messages in one place.
    OneOrder Differs {
        /// The place.
        seq: u64,
        /// Where the other one was seen.
        first: Place
    } "message {seq} is another one than seen before ({first})"
    /// A message came before one that had been known before it was said.
    OneOrder OutOfTurn {
        /// Its place.
        seq: u64,
        /// The one that was known.
        known: u64
    } "message {seq} was said after {known} was known"
    /// The messages of one socket were not kept in the order in which they were sent.
    OneOrder Reordered {
        /// The place of the later one.
        seq: u64,
        /// The place of an earlier one.
        earlier: u64
    } "sent after what became message {earlier}, it became {seq}"

    /// Two messages were accepted in one place.
    SentOnce OnePlaceForTwo {
        /// The place.
        seq: u64
    } "two messages were accepted as {seq}"
    /// What was accepted in one place is another message there.
    SentOnce Changed {
        /// The place.
        seq: u64
    } "what was accepted as message {seq} is another one there"
    /// A nonce was kept twice.
    SentOnce NonceTwice {
        /// The first place.
        first: u64,
        /// The second place.
        second: u64
    } "one nonce is at {first} and at {second}"
    /// A message counts as sent before, and was not.
    SentOnce DuplicateOfNothing {
        /// The place that was named.
        seq: u64
    } "named as message {seq} that was sent before, but it was not"
    /// A message that was accepted once stands in two places.
    SentOnce Doubled {
        /// One of the places.
        seq: u64
    } "message {seq} was said less often than it is there"

    /// A message that was refused for good was shown.
    StoredBeforeShown RefusedButShown {
        /// Its place.
        seq: u64,
        /// How it was refused.
        code: Arc<str>
    } "message {seq} was refused as {code}"
    /// Nobody has said this.
    StoredBeforeShown Invented {
        /// Its place.
        seq: u64
    } "nobody has said message {seq}"
    /// There are more messages than were said.
    StoredBeforeShown TooMany {
        /// How many there are.
        seq: u64,
        /// How many can have been said.
        said: u64
    } "there are {seq} messages, and {said} were said"

    /// One epoch stands for lives of two rooms.
    Ephemeral EpochOfTwoRooms {
        /// Which.
        epoch: Epoch
    } "epoch {epoch} is that of another room too"
    /// A signal came that nobody else sent.
    StoredBeforeShown SignalOfNobody {
        /// By whom it is said to be.
        user: UserName
    } "a signal by {user} that nobody else has sent"
    /// A room had two lives at the same time, or one that had ended went on.
    Ephemeral TwoLives {
        /// The life that was entered.
        epoch: Epoch,
        /// The life that the room had at that time.
        other: Epoch
    } "entered the life {epoch} while {other} lasted"
    /// The first one in a room found messages there.
    Ephemeral NotEmpty {
        /// The newest one.
        seq: u64
    } "the first to come found {seq} messages"
    /// A life was entered that had ended with its last connection.
    Ephemeral Outlived {
        /// Which.
        epoch: Epoch
    } "entered the life {epoch}, which everybody had left"

    /// A user came who was there.
    UsersNotTabs CameTwice {
        /// Who.
        user: UserName
    } "{user} came and was there"
    /// A user went who was not there.
    UsersNotTabs WentTwice {
        /// Who.
        user: UserName
    } "{user} went and was not there"
    /// A user came and went at once.
    UsersNotTabs CameAndWent {
        /// Who.
        user: UserName
    } "{user} came and went in one"
    /// A client was told of its own user.
    UsersNotTabs ToldOfItself {} "told of its own coming or going"
    /// A list of members is not what the client was told before.
    UsersNotTabs NotOneCut {} "a list of members that is not what was told before"
    /// A user is shown who cannot be there.
    UsersNotTabs Ghost {
        /// Who.
        user: UserName
    } "{user} is shown and is not there"
    /// A user is not shown who is there, or counts as gone.
    UsersNotTabs Unseen {
        /// Who.
        user: UserName
    } "{user} is there and is not shown"
    /// A user has another number of connections than is shown.
    UsersNotTabs Miscounted {
        /// Who.
        user: UserName,
        /// As many are shown.
        shown: usize
    } "{user} is shown with {shown} connections and has others"
    /// A join says that nobody, or none of the user's connections, was there before, and its members say otherwise.
    UsersNotTabs NotFirst {} "said to be the first, and is not"
    /// A join says that somebody, or a connection of the user, was there before, and its members say otherwise.
    UsersNotTabs IsFirst {} "said not to be the first, and is"

    /// A join counts as resumed that did not ask for it, or asked for another life.
    Resume ResumedElsewhere {} "resumed without a wish, or in another life than wished"
    /// A resume was not granted, and the life goes on and all that was missed is at hand.
    Resume NotResumed {
        /// The newest message that the client had.
        since: u64,
        /// The newest one that there is.
        seq: u64
    } "not resumed, and all from {since} to {seq} is at hand"
    /// A resume did not bring exactly what was missed.
    Resume Partial {
        /// The newest message that the client had.
        since: u64,
        /// The newest one that there is.
        seq: u64
    } "resumed with other messages than those after {since} up to {seq}"
    /// A resume did not tell that a message had been taken back.
    Resume RedactionUntold {
        /// Which.
        seq: u64
    } "resumed without being told that {seq} was taken back"

    /// A message was taken back before it was told.
    TakenBack TooEarly {
        /// Which.
        seq: u64
    } "message {seq} was taken back before it was told"
    /// A message that had been taken back was shown as if it had not.
    TakenBack Undone {
        /// Which.
        seq: u64
    } "message {seq} had been taken back, and is shown as it was"
    /// A message was shown, and then it was not told that it had been taken back.
    TakenBack RedactionMissed {
        /// Which.
        seq: u64
    } "not told that message {seq} was taken back"
    /// A message that was taken back still says something.
    TakenBack StillSpeaks {
        /// Which.
        seq: u64
    } "message {seq} was taken back and still says something"
    /// A message was taken back, or is shown as if it had been, and nobody did it.
    TakenBack ByNobody {
        /// Which.
        seq: u64
    } "nobody has taken message {seq} back"
    /// A message is said to be taken back now, and there never was one.
    TakenBack RedactedNothing {
        /// The place that was named.
        seq: u64
    } "message {seq} is said to be taken back, and there is none"

    /// An answer to a request that was not made, or that was answered before.
    Answered AnswerToNothing {
        /// The number that it names.
        call: u64
    } "an answer to {call}, which does not wait for one"
    /// An answer is not one to what was asked for, or a join was granted and the client never told how things stand.
    Answered MisAnswered {
        /// The number of the request.
        call: u64
    } "the answer to {call} is not one to what it asked for"
    /// A client that is in a room was told that it has left, and has not asked for it.
    Answered LeftUnasked {} "told that it has left, without having asked to"
    /// A request was never answered, and the session goes on.
    Answered Unanswered {
        /// The number of the request.
        call: u64
    } "{call} was never answered"
    /// A request was answered before an earlier one in the same room.
    Answered AnsweredOutOfTurn {
        /// The number of the request.
        call: u64
    } "{call} was answered before an earlier request in the same room"

    /// Something came after the farewell, or after the end.
    Ended AfterTheEnd {} "something came after the end"
    /// The farewell names another end than the one that came.
    Ended MisnamedEnd {
        /// What the farewell said.
        bye: Arc<str>,
        /// What it was.
        end: Arc<str>
    } "bye said {bye}, and it was {end}"

    /// More messages than were asked for, or than an answer may have.
    Bounded TooManyMessages {
        /// How many came.
        messages: usize,
        /// How many may come.
        most: usize
    } "{messages} messages came, {most} may"
    /// An answer is too long.
    Bounded TooLong {
        /// Its bytes.
        bytes: usize,
        /// How many it may have.
        most: usize
    } "an answer has {bytes} bytes, and may have {most}"
    /// A session is in too many rooms.
    Bounded TooManyRooms {
        /// In how many it may be.
        most: usize
    } "in more than {most} rooms"
}
