//! Floods that nobody is to answer take no memory, while they last or afterwards.

use std::fs;

use futures_util::future::join_all;

use crate::kit::{Frame, FullApp, User, opcode, with_full_app};

const VANDALS: usize = 10;
const FLOODS: usize = 3;
const FRAMES: usize = 20_000;
/// A fraction of what those floods would take where they were kept, and several times what the sessions themselves do.
const MOST_KIB: u64 = 8 * 1024;
/// For pings alone, which are answered by themselves: the allocator takes memory in steps of 2 MiB, and one of them says nothing.
const MOST_OF_PINGS_KIB: u64 = 4 * 1024;

#[test]
fn a_flood_takes_no_memory_although_nobody_reads_its_answers() {
    let ping = Frame::new(opcode::PING, vec![7; 125]).bytes();
    let fragment = Frame::new(opcode::CONTINUATION, vec![7; 1000]).unfinished().bytes();
    let start = Frame::text("{").unfinished().bytes();
    let nonsense = Frame::text(&"{".repeat(120)).bytes();
    let floods = [
        ping.repeat(FRAMES),
        [start.clone(), fragment.repeat(FRAMES / 10)].concat(),
        [start, Frame::new(opcode::CONTINUATION, "").unfinished().bytes().repeat(FRAMES)].concat(),
        nonsense.repeat(FRAMES),
    ];
    with_full_app(&[], async |app| {
        let user = app.user("vandal").await;
        // What anybody needs is there from the first ones on.
        for _ in 0..FLOODS {
            flood(&user, &floods[0]).await;
        }
        let before = peak(&app);
        for _ in 0..FLOODS {
            flood(&user, &floods[0]).await;
        }
        let grown = peak(&app) - before;
        assert!(grown < MOST_OF_PINGS_KIB, "{grown} KiB more than {before} for pings");
        for _ in 0..FLOODS {
            for bytes in &floods[1..] {
                flood(&user, bytes).await;
            }
        }
        let grown = peak(&app) - before;
        assert!(grown < MOST_KIB, "{grown} KiB more than {before}");
        app.user("guest").await.connect_to(&["hall"]).await.say("hall", "still here").await;
    });
}

/// Floods over several sockets at a time, none of which reads before it has sent all or can send no more.
async fn flood(user: &User<'_>, bytes: &[u8]) {
    let vandals = (0..VANDALS).map(async |_| {
        let upgrade = user.upgrade("").with_receive_buffer(4096);
        let mut socket = upgrade.open_raw().await;
        assert!(socket.text().await.contains("hello"));
        socket.try_write_bytes(bytes).await;
        socket
    });
    for socket in join_all(vandals).await {
        // The close can be lost in a reset, where the server closes on what it has not read.
        let (_, code) = socket.rest().await;
        assert!(matches!(code, None | Some(4504)), "{code:?}");
    }
}

/// The most memory that the process has ever had, in KiB.
fn peak(app: &FullApp) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", app.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
