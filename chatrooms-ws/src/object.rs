//! People, messages and rooms as JSON objects, in frames and in the bodies of HTTP.

use std::sync::Arc;

use chatrooms_core::{Epoch, Member, Message, Page, RoomSummary, Timestamp, UserName};
use serde::Serialize;

use crate::json::Raw;

/// A member as everybody sees it.
#[derive(Debug, Serialize)]
pub(crate) struct MemberObject<'a> {
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    connections: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Raw<'a>>,
}

/// A message as everybody sees it.
#[derive(Debug, Serialize)]
pub(crate) struct MessageObject<'a> {
    seq: u64,
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    body: &'a str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Raw<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    redacted: bool,
}

/// Consecutive messages.
#[derive(Debug, Serialize)]
pub(crate) struct PageObject<'a> {
    messages: Vec<MessageObject<'a>>,
    more: bool,
}

/// A room in a list.
#[derive(Debug, Serialize)]
pub(crate) struct RoomObject<'a> {
    room: &'a str,
    users: usize,
    connections: usize,
}

/// A room by itself.
#[derive(Debug, Serialize)]
pub(crate) struct RoomDetails<'a> {
    room: &'a str,
    epoch: String,
    seq: u64,
    users: usize,
    connections: usize,
    members: Vec<MemberObject<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    members_more: bool,
}

pub(crate) fn objects(members: &[Arc<Member>]) -> Vec<MemberObject<'_>> {
    members.iter().map(|member| member.as_ref().into()).collect()
}

impl<'a> From<&'a Member> for MemberObject<'a> {
    fn from(member: &'a Member) -> Self {
        Self {
            user: member.user.as_str(),
            name: member.name.as_deref(),
            connections: member.connections,
            meta: member.meta.as_ref().map(Raw),
        }
    }
}

impl<'a> From<&'a Message> for MessageObject<'a> {
    fn from(message: &'a Message) -> Self {
        let draft = &message.draft;
        Self {
            seq: message.seq,
            user: draft.user.as_ref().map(UserName::as_str),
            name: draft.name.as_deref(),
            body: &draft.body,
            at: message.at,
            data: draft.data.as_ref().map(Raw),
            nonce: draft.nonce.as_ref().map(|nonce| nonce.as_str()),
            redacted: message.redacted,
        }
    }
}

impl<'a> From<&'a Page> for PageObject<'a> {
    fn from(page: &'a Page) -> Self {
        let messages = page.messages.iter().map(|message| message.as_ref().into()).collect();
        Self { messages, more: page.more }
    }
}

impl<'a> From<&'a RoomSummary> for RoomObject<'a> {
    fn from(summary: &'a RoomSummary) -> Self {
        Self { room: summary.room.as_str(), users: summary.users, connections: summary.connections }
    }
}

impl<'a> RoomDetails<'a> {
    pub(crate) fn new(
        summary: &'a RoomSummary,
        members: &'a [Arc<Member>],
        members_more: bool,
    ) -> Self {
        Self {
            room: summary.room.as_str(),
            epoch: Epoch::to_string(&summary.epoch),
            seq: summary.seq,
            users: summary.users,
            connections: summary.connections,
            members: objects(members),
            members_more,
        }
    }
}

// serde hands a reference over.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) const fn is_false(value: &bool) -> bool {
    !*value
}
