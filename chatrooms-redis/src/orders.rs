//! What nodes say to all others: written down first and rung for then, and read again every second.

use std::{sync::Arc, time::Duration};

use chatrooms_core::{Bell, CloseReason, ClusterError, Data, Order, OrderId, UserName};
use redis::cmd;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    fields::{self, Fields},
    link::BellId,
    node::Node,
};

/// A bell may be lost: orders are looked for as often as this.
const LOOK: Duration = Duration::from_secs(1);
/// How many are asked for at a time.
const PAGE: usize = 100;
/// The one bell of that channel.
const BELL: BellId = 0;

/// An order as it is kept.
pub(crate) fn written(order: &Order) -> Option<String> {
    Some(match order {
        Order::EndSessions { user, reason } => {
            fields::of(["end", user.as_str(), reason.name()].map(Some))
        }
        Order::Notify { user, name, data } => {
            let data = data.as_ref().map(Data::as_str);
            fields::of([Some("notify"), Some(user.as_str()), Some(&**name), data])
        }
        _ => return None,
    })
}

/// `None` for what only other versions know.
fn read(kept: &str) -> Option<Order> {
    let mut fields = Fields(kept);
    let (what, user) = (fields.text()?, UserName::new(fields.text()?).ok()?);
    match what {
        "end" => {
            let reason = CloseReason::named(fields.text()?).unwrap_or(CloseReason::LoggedOut);
            Some(Order::EndSessions { user, reason })
        }
        "notify" => {
            let name = fields.text()?.into();
            Some(Order::Notify { user, name, data: fields.next()?.map(Data::new) })
        }
        _ => None,
    }
}

/// An entry's place, then what is in it, each name before its value.
type Entries = Vec<(String, Vec<String>)>;

/// Where the orders end now.
pub(crate) async fn end(node: &Node) -> Result<String, ClusterError> {
    let mut ask = cmd("XREVRANGE");
    ask.arg(node.keys.orders()).arg("+").arg("-").arg("COUNT").arg(1);
    let last: Entries = node.link.command(&ask).await?;
    Ok(last.into_iter().next().map_or_else(|| "0-0".to_owned(), |(place, _)| place))
}

/// Reads what others say from a place on, for as long as somebody listens.
pub(crate) async fn listen(
    node: Arc<Node>,
    mut place: String,
    orders: mpsc::Sender<(OrderId, Order)>,
) {
    let (ringer, bell) = Bell::new(());
    // Where that fails, the bell is there all the same, and heard after the link was mended.
    let _ = node.link.subscribe(&node.keys.orders(), BELL, ringer).await;
    loop {
        // What cannot be read now is read the next time.
        while let Ok(entries) = page(&node, &place).await {
            let is_last = entries.len() < PAGE;
            for (at, parts) in entries {
                place = at;
                let [_, by, _, id, _, kept] = &parts[..] else { continue };
                if by == node.link.mark() {
                    continue;
                }
                if let Some(order) = read(kept)
                    && orders.send((OrderId::new(&**id), order)).await.is_err()
                {
                    return;
                }
            }
            if is_last {
                break;
            }
        }
        let _ = timeout(LOOK, bell.rung()).await;
    }
}

async fn page(node: &Node, place: &str) -> Result<Entries, ClusterError> {
    let mut ask = cmd("XRANGE");
    ask.arg(node.keys.orders()).arg(format!("({place}")).arg("+").arg("COUNT").arg(PAGE);
    node.link.command(&ask).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        let user = UserName::new("käse {3:x}").unwrap();
        let orders = [
            Order::EndSessions { user: user.clone(), reason: CloseReason::Kicked },
            Order::Notify { user: user.clone(), name: "-".into(), data: Some(Data::new("3:abc")) },
            Order::Notify { user, name: "x".into(), data: None },
        ];
        for order in orders {
            assert_eq!(read(&written(&order).unwrap()), Some(order));
        }
        assert_eq!(read("5:later3:ada"), None);
    }
}
