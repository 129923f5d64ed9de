//! Ctrl-C and SIGTERM: the process says goodbye and ends well.

use crate::kit::{unique, with_full_app};

#[test]
fn sigterm_ends_the_process_with_exit_code_0() {
    for store in ["memory", "sqlite::memory:"] {
        with_full_app(&["--store", store], async |app| {
            let room = unique("hall");
            let mut client = app.user("guest").await.connect_to(&[&room]).await;
            client.say(&room, "hello").await;
            app.terminate();
            assert_eq!(client.closed().await.code, Some(1001));
            let bye = client.expect("bye").await;
            assert_eq!(bye["code"], "shutting_down");
            assert_eq!(app.exited().await.code(), Some(0));
        });
    }
}

#[test]
fn without_anybody_it_ends_at_once() {
    with_full_app(&[], async |app| {
        app.terminate();
        assert_eq!(app.exited().await.code(), Some(0));
    });
}
