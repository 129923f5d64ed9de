//! Nothing is unbounded, as far as a trace shows it; and a page has what was asked for.

use super::{
    Fault, Outcome, Place, Told, What,
    run::{Run, Wish},
};

pub(super) fn judge(run: &mut Run<'_>) {
    let mut found = too_long(run);
    for connection in &run.connections {
        let wanted = connection.wish.and_then(|Wish { history, .. }| history);
        let most = run.log(connection.client).bounds.history;
        // A resume brings what was missed, however much was wanted.
        let most =
            if connection.cut.resumed { usize::MAX } else { wanted.unwrap_or(most).min(most) };
        let messages = connection.cut.messages.len();
        if messages > most {
            let place = run.place(connection.client, connection.step, Some(connection.room));
            found.push((Fault::TooManyMessages { messages, most }, place));
        }
    }
    for reading in &run.readings {
        let page = &reading.what.page.messages;
        let place = run.place(reading.client, reading.step, Some(reading.room));
        let most = reading.what.most;
        if page.len() > most {
            let fault = Fault::TooManyMessages { messages: page.len(), most };
            found.push((fault, place.clone()));
        }
        let is_dense = page.windows(2).all(|pair| pair[1].seq == pair[0].seq + 1);
        let is_before = page
            .last()
            .is_none_or(|last| reading.what.before.is_none_or(|before| last.seq < before));
        if !is_dense || !is_before {
            found.push((Fault::TornPage {}, place));
        }
    }
    found.into_iter().for_each(|(fault, place)| run.blame(fault, place));
}

fn too_long(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let mut found = Vec::new();
    for (client, log) in run.trace.clients.iter().enumerate() {
        for (index, step) in log.steps.iter().enumerate() {
            let is_bounded = matches!(
                step.what,
                What::Told(Told::Joined { .. })
                    | What::Answered { outcome: Outcome::History(_) | Outcome::Members(_), .. }
            );
            let most = log.bounds.reply_bytes;
            if let Some(bytes) = step.bytes.filter(|bytes| is_bounded && *bytes > most) {
                found.push((Fault::TooLong { bytes, most }, run.place(client, index, None)));
            }
        }
    }
    found
}
