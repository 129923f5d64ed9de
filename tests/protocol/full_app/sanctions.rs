//! What a creator has imposed holds for as long as the life of the room, over restarts of the application too, and is gone with it.

use serde_json::json;

use crate::kit::{FullApp, User, eventually, unique, with_full_app};

use super::{
    file::File,
    moderating::{epoch, order, returned, standing},
};

#[test]
fn with_a_linger_what_is_imposed_holds_over_a_restart_and_ends_with_the_room() {
    outlasts(async |app, _, _| {
        app.terminate();
        assert!(app.exited().await.success());
    });
}

#[test]
fn with_a_linger_what_is_imposed_and_written_holds_over_a_crash_and_ends_with_the_room() {
    outlasts(async |app, file, eve| {
        eventually("it is written", async || {
            let creators = file.ask::<i64>("SELECT count(*) FROM full_app_creators").await;
            let note = file.ask::<String>("SELECT note FROM chatrooms_lives").await;
            creators == 1 && note.contains("slow 30000") && note.contains(&eve.name)
        })
        .await;
        app.kill().await;
    });
}

fn outlasts(end: impl AsyncFn(&FullApp, &File, &User<'_>)) {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str(), "--linger", "60"];
    with_full_app(&options, async |app| {
        let [ada, bob, cy, eve] = [
            app.user("ada").await,
            app.user("bob").await,
            app.user("cy").await,
            app.user("eve").await,
        ];
        let room = unique("hall");
        let mut adas = ada.connect_to(&[&room]).await;
        adas.expect("notice").await;
        let mut sockets = Vec::new();
        for user in [&bob, &cy, &eve] {
            sockets.push(user.connect_to(&[&room]).await);
        }
        command(&ada, &room, &[("action", "ban"), ("user", &eve.name)]).await;
        command(&ada, &room, &[("action", "ban"), ("user", &cy.name), ("seconds", "3600")]).await;
        command(&ada, &room, &[("action", "mute"), ("user", &bob.name)]).await;
        command(&ada, &room, &[("action", "slow"), ("seconds", "30")]).await;
        let before = standing(&ada, &room).await;
        end(&app, &file, &eve).await;

        let next = FullApp::start(&options);
        let [ada, bob, cy, eve] = [&ada, &bob, &cy, &eve].map(|user| returned(user, &next));
        let mut adas = ada.connect_to(&[&room]).await;
        assert_eq!(standing(&ada, &room).await, before, "still the creator, and all of it holds");
        let mut banned = Vec::new();
        for user in [&eve, &cy] {
            let mut client = user.connect().await;
            client.refused("banned", json!({"type": "join", "room": room})).await;
            banned.push(client);
        }
        let mut bobs = bob.connect_to(&[&room]).await;
        bobs.refused("muted", json!({"type": "send", "room": room, "body": "but"})).await;
        adas.say(&room, "one").await;
        adas.refused("slow_mode", json!({"type": "send", "room": room, "body": "two"})).await;

        command(&ada, &room, &[("action", "unban"), ("user", &eve.name)]).await;
        banned[0].join(&room).await;
        command(&ada, &room, &[("action", "unmute"), ("user", &bob.name)]).await;
        bobs.say(&room, "and").await;

        for client in [&mut adas, &mut bobs, &mut banned[0]] {
            client.leave(&room).await;
        }
        eventually("nothing of it is left", async || {
            let creators = file.ask::<i64>("SELECT count(*) FROM full_app_creators").await;
            (file.rows().await, creators) == ((0, 0), 0) && !file.contains(&room)
        })
        .await;
        banned[1].join(&room).await;
        assert_eq!(standing(&ada, &room).await["creator"], false, "the next life is another one's");
        assert!(!file.contains(&format!(" {}\n", cy.name)), "no note");
    });
}

/// What a creator asks for is done.
async fn command(creator: &User<'_>, room: &str, fields: &[(&str, &str)]) {
    let standing = standing(creator, room).await;
    let mut form = fields.to_vec();
    form.push(("epoch", epoch(&standing)));
    let answer = order(creator, room).form(&form).send().await;
    assert_eq!(answer.status, 200, "{fields:?}: {answer:?}");
}
