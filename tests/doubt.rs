//! Owed callbacks of rows that were repaired and changed again: what differs then may be a change on its way.

mod common;

use std::time::Duration;

use common::{Answer, Scene, wait_until};

/// Row 1 is owed, but its copy was written meanwhile, and the source row has changed once more.
fn repaired_and_changed_again() -> Scene {
    let scene = Scene::with_missing([1]);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    scene.db.copy_users();
    scene
        .db
        .exec("UPDATE src.user SET name = 'second' WHERE id = 1");
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene
}

#[test]
fn a_change_on_its_way_to_a_row_that_is_owed_is_given_its_time() {
    let mut scene = repaired_and_changed_again();
    scene.config.set("/confirmDelayMillisecond", 60_000);
    // However early the first process is stopped, one has had its look.
    wait_until(
        "the row has been looked at",
        Duration::from_secs(60),
        || {
            let run = scene.cupid("run").spawn();
            std::thread::sleep(Duration::from_millis(300));
            run.signal("TERM");
            run.wait();
            scene.config.owed()[0]["lastingUs"].is_number()
        },
    );
    assert_eq!(scene.receiver().count(), 0, "the change is on its way");
    // A process that comes soon after does not take it for lost either.
    let run = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_millis(300));
    run.kill();
    assert_eq!(scene.receiver().count(), 0);
    scene.db.copy_users();
    scene.run(0);
    assert_eq!(
        (scene.receiver().count(), scene.config.owed().len()),
        (0, 0)
    );
}

#[test]
fn a_change_that_does_not_come_is_called_back_in_the_same_run() {
    let scene = repaired_and_changed_again();
    scene.run(0);
    let callbacks = scene.receiver().callbacks();
    assert_eq!(callbacks.len(), 1);
    assert_eq!(
        (callbacks[0].kind(), callbacks[0].text_of("name")),
        (2, "second")
    );
}
