//! Under which names things stand in Redis.

use chatrooms_core::{OrderId, RoomName};

/// All keys begin with the prefix of a deployment, so that several share one Redis.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
}

/// What stands in front of the keys of a room beside its life: the suffixes of the other seven.
const OF_A_ROOM: [&str; 7] = [":m", ":n", ":e", ":c", ":u", ":r", ":b"];

impl Keys {
    pub(crate) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// The key of a room's life, which is the channel of its bells too. The hash tag has all keys of a room in one slot.
    pub(crate) fn life(&self, room: &RoomName) -> String {
        format!("{}:{{{}}}", self.prefix, tag(room.as_str()))
    }

    /// All keys of a room, in the order in which the scripts take them: the last one is there while that node is fenced.
    pub(crate) fn room(&self, room: &RoomName, node: &str) -> [String; 9] {
        let life = self.life(room);
        let [m, n, e, c, u, r, b] = OF_A_ROOM.map(|suffix| format!("{life}{suffix}"));
        let fence = format!("{life}:f:{node}");
        [life, m, n, e, c, u, r, b, fence]
    }

    /// The nodes, with their beats. A room of that name has other keys in the same slot, which harms nobody.
    pub(crate) fn nodes(&self) -> String {
        format!("{}:{{nodes}}:alive", self.prefix)
    }

    /// The nodes that were declared dead and whose rooms are still to be seen to.
    pub(crate) fn dead(&self) -> String {
        format!("{}:{{nodes}}:dead", self.prefix)
    }

    /// The rooms that a node takes part in.
    pub(crate) fn hosted(&self, node: &str) -> String {
        format!("{}:{{nodes}}:rooms:{node}", self.prefix)
    }

    /// What nodes say to all others, which is a channel too.
    pub(crate) fn orders(&self) -> String {
        format!("{}:{{nodes}}:orders", self.prefix)
    }

    /// The nodes that have to do what was said, with what they say of it.
    pub(crate) fn order(&self, id: &OrderId) -> String {
        format!("{}:{{nodes}}:order:{id}", self.prefix)
    }

    /// A name that somebody has taken.
    pub(crate) fn claim(&self, name: &str) -> String {
        format!("{}:claim:{name}", self.prefix)
    }
}

/// A room's name without the braces that would end the tag early.
fn tag(room: &str) -> String {
    let mut tag = String::with_capacity(room.len());
    for c in room.chars() {
        match c {
            '%' => tag.push_str("%25"),
            '{' => tag.push_str("%7B"),
            '}' => tag.push_str("%7D"),
            c => tag.push(c),
        }
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomName {
        RoomName::new(name).unwrap()
    }

    #[test]
    fn all_keys_of_a_room_have_the_same_tag_and_no_other_rooms() {
        let keys = Keys::new("chat".to_owned());
        for name in ["tea", "}", "{}", "%7D", "a:m"] {
            let all = keys.room(&room(name), "n1");
            let tag =
                |key: &str| key.split_once('{').unwrap().1.split_once('}').unwrap().0.to_owned();
            assert!(
                all.iter().all(|key| tag(key) == tag(&all[0]) && !tag(key).is_empty()),
                "{all:?}"
            );
        }
        assert_ne!(keys.life(&room("}")), keys.life(&room("%7D")));
        assert_eq!(keys.room(&room("tea"), "n1")[1], "chat:{tea}:m");
    }
}
