//! Thousands of people, for `cargo xtask soak`: they come and go, talk, vanish, stop reading and fall silent, and the oracle judges all that they were told.
//!
//! They live in houses of a few rooms each. What happens in a house is told in episodes: at the end of each everybody rests, goes, and all that was
//! seen of these rooms is judged and forgotten. So it is judged whole, and a run takes no more memory the longer it lasts.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "whoever starts this reads it")]

mod counts;
mod database;
mod dice;
mod director;
mod episode;
mod guest;
mod house;
mod judge;
mod oddity;
mod plan;
mod socket;
mod storm;

use std::{process::ExitCode, sync::Arc};

use tokio::task::JoinSet;

use self::{
    counts::Counts, database::Database, house::House, judge::Judge, plan::Plan, storm::Storms,
};

#[tokio::main]
async fn main() -> ExitCode {
    let plan = std::env::args().nth(1).ok_or_else(|| "a plan is expected, as JSON".to_owned());
    match plan.and_then(|text| Plan::read(&text)) {
        Ok(plan) => {
            println!("{}", carry_out(plan).await.written());
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("crowd: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Has everybody live in their house until the time is over, and looks at what they leave behind.
async fn carry_out(plan: Plan) -> Arc<Counts> {
    let (plan, counts) = (Arc::new(plan), Arc::new(Counts::default()));
    let judge = Arc::new(Judge::new(Arc::clone(&counts)));
    let (storms, storm) = Storms::of(&plan);
    let mut houses = JoinSet::new();
    for number in 0..plan.houses {
        let (plan, counts, judge) = (plan.clone(), counts.clone(), judge.clone());
        houses.spawn(House::new(plan, number, counts, judge, storm.clone()).keep());
    }
    let database = Database::new(&plan.database);
    let trouble = async {
        tokio::join!(database.hold_now_and_then(&plan, &counts), storms.come(&counts));
    };
    let lived = async { while houses.join_next().await.is_some() {} };
    tokio::select! {
        () = trouble => {}
        () = lived => {}
    }
    while houses.join_next().await.is_some() {}
    if let Err(problem) = database.is_empty_and_whole().await {
        counts.problem(problem);
    }
    counts
}
