//! Promise 8.

use std::sync::Arc;

use super::kit::{ALL, append, begin, draft, numbers, stored};
use crate::{Budget, Life, Message, MessageStore, Page};

/// Promise 8: pages are gap-free.
///
/// # Panics
/// Where the store breaks it.
pub async fn pages_are_gap_free(store: &dyn MessageStore) {
    let life = begin(store, "pages").await;
    // Sizes from nothing to more than the budgets below.
    let drafts = (0..40).map(|n| draft(&"x".repeat(n * n % 50))).collect();
    let all: Vec<_> =
        append(store, &life, drafts).await.into_iter().map(|it| stored(it).0).collect();
    check_everywhere(store, &life, &all).await;

    store.trim(&life, 7).await.expect("they are there");
    check_everywhere(store, &life, &all[7..]).await;
    for budget in [Budget { messages: 3, bytes: 1000 }, Budget { messages: 100, bytes: 60 }] {
        walk(store, &life, &all[7..], budget).await;
    }
}

async fn check_everywhere(store: &dyn MessageStore, life: &Life, all: &[Arc<Message>]) {
    for messages in [0, 1, 2, 7, usize::MAX] {
        for bytes in [0, 1, 49, 60, 1000, usize::MAX] {
            let budget = Budget { messages, bytes };
            for place in (0..=42).chain([u64::MAX]) {
                let page = store.read_before(life, Some(place), budget).await;
                let older: Vec<_> = all.iter().filter(|it| it.seq < place).cloned().collect();
                check_before(page.expect("an open life can be read"), &older, budget);
                let page = store.read_after(life, place, budget).await;
                let newer: Vec<_> = all.iter().filter(|it| it.seq > place).cloned().collect();
                check_after(page.expect("an open life can be read"), &newer, budget);
            }
            let page = store.read_before(life, None, budget).await;
            check_before(page.expect("an open life can be read"), all, budget);
        }
    }
}

/// A page that ends where `older` ends.
fn check_before(page: Page, older: &[Arc<Message>], budget: Budget) {
    let at = older.len().saturating_sub(page.messages.len());
    assert_eq!(page.messages, older[at..], "consecutive, oldest first, next to the place");
    check_budget(&page, older, budget);
}

/// A page that begins where `newer` begins.
fn check_after(page: Page, newer: &[Arc<Message>], budget: Budget) {
    let end = page.messages.len().min(newer.len());
    assert_eq!(page.messages, newer[..end], "consecutive, oldest first, next to the place");
    check_budget(&page, newer, budget);
}

fn check_budget(page: &Page, all: &[Arc<Message>], budget: Budget) {
    let (count, numbers) = (page.messages.len(), numbers(&page.messages));
    let bytes: usize = page.messages.iter().map(|message| message.draft.size()).sum();
    assert!(count <= budget.messages, "{numbers:?} is over {budget:?}");
    assert!(count <= 1 || bytes <= budget.bytes, "{numbers:?} is over {budget:?}");
    assert!(count >= 1.min(all.len()).min(budget.messages), "one always fits {budget:?}");
    assert_eq!(page.more, count < all.len(), "whether there is more is told: {numbers:?}");
}

/// Reads all of a life page by page, in both directions.
async fn walk(store: &dyn MessageStore, life: &Life, all: &[Arc<Message>], budget: Budget) {
    let mut back = Vec::new();
    let mut before = None;
    loop {
        let page = store.read_before(life, before, budget).await.expect("an open life can be read");
        before = page.messages.first().map(|message| message.seq);
        back.splice(0..0, page.messages);
        if !page.more {
            break;
        }
    }
    let mut forth = Vec::new();
    let mut more = true;
    while more {
        let after = forth.last().map_or(0, |message: &Arc<Message>| message.seq);
        let page = store.read_after(life, after, budget).await.expect("an open life can be read");
        forth.extend(page.messages);
        more = page.more;
    }
    assert_eq!((&*back, &*forth), (all, all), "page by page everything is there once");
    assert_eq!(store.read_after(life, 0, ALL).await.expect("it is open").messages, all);
}
