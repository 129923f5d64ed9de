//! Whether what happened in an episode was as it should be.

use std::{collections::HashSet, sync::Arc};

use chatrooms_core::{
    Epoch,
    oracle::{Recorder, Told, Trace, What, check},
};
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::counts::Counts;

/// Judges one after the other: what is judged is copied.
#[derive(Debug)]
pub(crate) struct Judge {
    counts: Arc<Counts>,
    one_at_a_time: Mutex<()>,
}

impl Judge {
    pub(crate) fn new(counts: Arc<Counts>) -> Self {
        Self { counts, one_at_a_time: Mutex::new(()) }
    }

    /// Judges an episode of these rooms, the lives of which are added to the earlier ones.
    pub(crate) async fn judge(&self, run: Recorder, called: &str, earlier: &mut HashSet<Epoch>) {
        let _turn = self.one_at_a_time.lock().await;
        let judged = spawn_blocking(move || {
            let trace = run.trace();
            (epochs(&trace), check(&trace))
        });
        let Ok((epochs, judged)) = judged.await else {
            return self.counts.problem(format!("{called}: the judge panicked"));
        };
        match judged {
            Ok(judged) => self.counts.judged(judged),
            Err(broken) => {
                for violation in broken.iter() {
                    self.counts.problem(format!("{called}: {violation}"));
                }
            }
        }
        for epoch in epochs {
            if !earlier.insert(epoch) {
                self.counts.problem(format!("{called}: {epoch} is of an earlier episode"));
            }
        }
        self.counts.add("episodes");
    }
}

/// The lives that anybody was in.
fn epochs(trace: &Trace) -> HashSet<Epoch> {
    let steps = trace.clients.iter().flat_map(|log| &log.steps);
    let joined = steps.filter_map(|step| match &step.what {
        What::Told(Told::Joined { cut, .. }) => Some(cut.epoch),
        _ => None,
    });
    joined.collect()
}

#[cfg(test)]
mod tests {
    use chatrooms_ws::Transcript;
    use serde_json::Value;

    use super::*;

    const HELLO: &str =
        r#"{"type":"hello","session":"s","user":"ada","heartbeat_ms":1,"limits":{}}"#;
    const JOINED: &str = r#"{"type":"joined","id":1,"room":"tea","epoch":"00000000000000000000000000000001","seq":0,"resumed":false,"members":[{"user":"ada","connections":1}],"messages":[],"more":false}"#;

    fn episode(told: &[&str]) -> Recorder {
        let run = Recorder::new();
        run.complete();
        let mut ada = Transcript::new(&run);
        ada.received(HELLO);
        ada.sent(r#"{"type":"join","id":1,"room":"tea"}"#);
        told.iter().for_each(|frame| ada.received(frame));
        run
    }

    async fn judged(episodes: &[&[&str]]) -> Value {
        let counts = Arc::new(Counts::default());
        let judge = Judge::new(Arc::clone(&counts));
        let mut lives = HashSet::new();
        for told in episodes {
            judge.judge(episode(told), "house 1", &mut lives).await;
        }
        counts.written()
    }

    #[tokio::test]
    async fn what_is_as_it_should_be_counts() {
        let written = judged(&[&[JOINED]]).await;
        assert_eq!(written["problems"], Value::from(Vec::<Value>::new()));
        assert_eq!(written["judged"]["connections"], 1);
    }

    #[tokio::test]
    async fn what_is_not_is_a_problem() {
        let unsaid = r#"{"type":"message","room":"tea","seq":1,"user":"eve","body":"boo","at":1}"#;
        let written = judged(&[&[JOINED, unsaid]]).await;
        assert!(written["problems"][0].as_str().is_some_and(|it| it.starts_with("house 1: ")));
    }

    #[tokio::test]
    async fn a_life_that_goes_on_in_another_episode_is_a_problem() {
        let written = judged(&[&[JOINED], &[JOINED]]).await;
        assert_eq!(written["problems"].as_array().map(Vec::len), Some(1), "{written}");
    }
}
