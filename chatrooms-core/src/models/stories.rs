//! What happens at the same time. Whatever order it happens in, every promise holds.

use shuttle::{future::block_on, thread};

use super::{
    explore,
    house::{House, LOBBY},
};

/// The last one leaves while the first one comes: either it is the same life, with what was said in it, or it is the next one and empty.
#[test]
fn the_last_leave_against_the_first_join() {
    explore("P2 a life is purged once, and no other", 2, || {
        let house = House::new(|_| ());
        let ada = house.guest("ada");
        block_on(ada.say(LOBBY, "one")).unwrap();
        let goes = thread::spawn(move || {
            ada.leave(LOBBY).unwrap();
            ada
        });
        let comes = thread::spawn({
            let house = house.clone();
            move || {
                let bob = house.guest("bob");
                block_on(bob.say(LOBBY, "two")).unwrap();
                block_on(bob.history(LOBBY, None, 9)).unwrap();
                bob
            }
        });
        house.end([goes.join().unwrap(), comes.join().unwrap()]);
    });
}
