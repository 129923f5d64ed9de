//! Each fault, and which call gets it.

use super::*;

/// A store whose next append goes wrong, and an open life of it.
async fn going_wrong(fault: Fault) -> (FaultyStore, Life) {
    let store = FaultyStore::new();
    let life = begin(&store, "tea").await;
    store.next(Call::Append, fault);
    (store, life)
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_begins_late() {
    let (store, life) = going_wrong(Fault::Slow(SECOND)).await;
    let began = Instant::now();
    let (appended, ()) = tokio::join!(append(&store, &life), async {
        tokio::time::sleep(SECOND / 2).await;
        assert_eq!(stored(&store, &life).await, 0);
    });
    assert!(appended.is_ok());
    assert_eq!((began.elapsed(), stored(&store, &life).await), (SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_has_not_happened_and_an_unsure_one_has() {
    let (store, life) = going_wrong(Fault::Fail).await;
    let refused = append(&store, &life).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { store: "faulty", .. })), "{refused:?}");
    assert_eq!(stored(&store, &life).await, 0);

    let (store, life) = going_wrong(Fault::Unsure).await;
    let unsure = append(&store, &life).await;
    assert!(
        matches!(unsure, Err(StoreError::OutcomeUnknown { store: "faulty", .. })),
        "{unsure:?}"
    );
    assert_eq!(stored(&store, &life).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_panics_before_or_after_it_has_happened() {
    let (store, life) = going_wrong(Fault::Panic).await;
    assert_eq!(panic_of(append(&store, &life)).await, "told to panic");
    assert_eq!(stored(&store, &life).await, 0);

    let (store, life) = going_wrong(Fault::PanicAfter).await;
    assert_eq!(panic_of(append(&store, &life)).await, "told to panic afterwards");
    assert_eq!(stored(&store, &life).await, 1);
    assert!(append(&store, &life).await.is_ok(), "nothing is broken by a panic");
}

#[tokio::test(start_paused = true)]
async fn a_call_hangs_before_or_after_it_has_happened_also_when_all_is_healed() {
    for (fault, happened) in [(Fault::Hang, 0), (Fault::HangAfter, 1)] {
        let (store, life) = going_wrong(fault).await;
        let healing = async {
            store.stuck(Call::Append).await;
            store.heal();
        };
        let hanging = tokio::time::timeout(3600 * SECOND, append(&store, &life));
        let (hung, ()) = tokio::join!(hanging, healing);
        assert!(hung.is_err());
        assert_eq!(stored(&store, &life).await, happened);
    }
}

/// Closing comes last: nothing else can be asked of a life that has ended.
const CALLS: [Call; 10] = [
    Call::Open,
    Call::Append,
    Call::ReadBefore,
    Call::ReadAfter,
    Call::Redact,
    Call::Trim,
    Call::Note,
    Call::Abandoned,
    Call::Shutdown,
    Call::Close,
];

async fn ask(store: &FaultyStore, life: &Life, call: Call) -> Result<(), StoreError> {
    match call {
        Call::Open => store.open(&life.room, None, ALL).await.map(drop),
        Call::Append => append(store, life).await.map(drop),
        Call::ReadBefore => store.read_before(life, None, ALL).await.map(drop),
        Call::ReadAfter => store.read_after(life, 0, ALL).await.map(drop),
        Call::Redact => store.redact(life, 1, None).await.map(drop),
        Call::Trim => store.trim(life, 0).await,
        Call::Note => store.note(life, "").await,
        Call::Close => store.close(life).await.map(drop),
        Call::Abandoned => store.abandoned().await.map(drop),
        Call::Shutdown => store.shutdown().await,
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_a_store_is_asked_can_go_wrong_and_is_counted() {
    let store = FaultyStore::new();
    let life = begin(&store, "tea").await;
    for call in CALLS {
        let before = store.calls(call);
        store.next(call, Fault::Fail);
        assert!(ask(&store, &life, call).await.is_err(), "{call:?}");
        assert!(ask(&store, &life, call).await.is_ok(), "{call:?}");
        assert_eq!(store.calls(call), before + 2, "{call:?}");
    }
    assert_eq!(store.batches(), [1, 1]);
    assert_eq!((store.calls_in("tea", Call::Close), store.calls_in("pot", Call::Close)), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_life_is_over_once_it_is_closed_though_its_removal_fails() {
    let store = FaultyStore::new();
    let life = begin(&store, "tea").await;
    append(&store, &life).await.unwrap();
    store.next(Call::Close, Fault::Fail);
    assert!(store.close(&life).await.is_err());
    assert!(matches!(append(&store, &life).await, Err(StoreError::Closed)));
    assert!(matches!(store.read_after(&life, 0, ALL).await, Err(StoreError::Closed)));
    assert_eq!((store.open_lives(), store.closed_lives()), (vec![life.clone()], vec![]));
    assert_eq!(store.close(&life).await.unwrap(), 1);
    assert_eq!((store.open_lives(), store.closed_lives()), (vec![], vec![life]));
}

#[tokio::test(start_paused = true)]
async fn counted_faults_come_first_in_their_order_and_then_the_newest_that_stands() {
    let store = FaultyStore::new();
    let (tea, pot) = (begin(&store, "tea").await, begin(&store, "pot").await);
    store.always(Call::Append, Fault::Unsure);
    store.always_in("pot", Call::Append, Fault::Fail);
    store.next_in("pot", Call::Append, Fault::Unsure);
    store.times(2, Call::Append, Fault::Fail);
    store.times(0, Call::Append, Fault::Panic);
    store.times_in("pot", 0, Call::Append, Fault::Panic);

    assert_eq!(outcome(append(&store, &tea).await), "unavailable", "the first of two");
    assert_eq!(outcome(append(&store, &pot).await), "unsure", "the first that was given");
    assert_eq!(outcome(append(&store, &pot).await), "unavailable", "the second of two");
    assert_eq!(outcome(append(&store, &tea).await), "unsure");
    assert_eq!(outcome(append(&store, &pot).await), "unavailable");
    store.always(Call::Append, Fault::Unsure);
    assert_eq!(outcome(append(&store, &pot).await), "unsure", "the newest");
    store.next(Call::Append, Fault::Panic);
    store.heal();
    assert_eq!(outcome(append(&store, &tea).await), "stored");
    assert_eq!(outcome(append(&store, &pot).await), "stored");
}

fn outcome(outcome: Result<Appended, StoreError>) -> &'static str {
    match outcome {
        Ok(Appended::Stored { .. }) => "stored",
        Ok(Appended::Duplicate { .. }) => "duplicate",
        Err(StoreError::Closed) => "closed",
        Err(StoreError::Unavailable { .. }) => "unavailable",
        Err(StoreError::OutcomeUnknown { .. }) => "unsure",
    }
}
