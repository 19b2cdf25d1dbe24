//! State knows whose it is: which destination a position and an owed callback belong to, whatever its place in the file, its
//! name and its address.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{Answer, Db, Outcome, Receiver, Scene, Server};
use serde_json::{Value, json};

/// Two servers, each with a copy `b.user` of the same name, and a receiver for each. The destinations have no name.
struct TwoServers {
    scene: Scene,
    far: Receiver,
    far_db: Arc<Db>,
    /// The `webhook-id` of each.
    detections: BTreeSet<String>,
}

/// What a receiver was sent since it was asked last.
fn webhook_ids(receiver: &Receiver) -> BTreeSet<String> {
    let callbacks = receiver.take();
    let id = |callback: &common::Callback| callback.header("webhook-id").to_owned();
    callbacks.iter().map(id).collect()
}

impl TwoServers {
    /// Users 1 to 3 are missing in the far copy. It is owed, for its receiver refuses.
    fn owing() -> Self {
        let scene = Scene::in_sync(1..=3);
        let far_db = Db::on(Server::private(), 1);
        let copy = &scene.db.copies[0];
        far_db.exec(&format!("CREATE DATABASE `{copy}` CHARACTER SET utf8mb4"));
        far_db.exec(&format!(
            "GRANT SELECT ON `{copy}`.* TO '{}'@'%'",
            far_db.reader
        ));
        far_db.exec(&format!(
            "CREATE TABLE `{copy}`.user {}",
            common::USER_COLUMNS
        ));
        let mut two = Self {
            scene,
            far: Receiver::start(),
            far_db,
            detections: BTreeSet::new(),
        };
        let (near, far) = (two.near_entry(), two.far_entry());
        two.set(&[&near, &far]);
        two.far.answer(|_| Answer::status(500));
        two.scene.run(1);
        assert_eq!(
            two.owed_to(),
            [two.far_name(), two.far_name(), two.far_name()]
        );
        two.detections = webhook_ids(&two.far);
        assert_eq!(two.detections.len(), 3);
        two.far.answer(|_| Answer::ok());
        two
    }

    fn near_entry(&self) -> Value {
        let mut entry = self.scene.config.value["des"][0].clone();
        entry.as_object_mut().unwrap().remove("name");
        entry
    }

    fn far_entry(&self) -> Value {
        let Server { host, port, .. } = &*self.far_db.server;
        let mut entry = self.near_entry();
        let copy = &self.scene.db.copies[0];
        entry["dsn"] = json!(format!("mysql:host={host};port={port};dbname={copy}"));
        entry["user"] = json!(self.far_db.reader);
        entry["password"] = json!(self.far_db.reader_password);
        entry["callbackNotification"]["url"] = json!(self.far.url());
        entry
    }

    fn far_name(&self) -> String {
        let Server { host, port, .. } = &*self.far_db.server;
        format!("{host}:{port}/{}.user", self.scene.db.copies[0])
    }

    fn set(&mut self, entries: &[&Value]) {
        self.scene.config.value["des"] = json!(entries);
    }

    fn owed_to(&self) -> Vec<String> {
        let text = |owed: Value| owed["destination"].as_str().unwrap().to_owned();
        self.scene.config.owed().into_iter().map(text).collect()
    }

    /// The next run sends everything to the far receiver, and nothing to the near one.
    #[track_caller]
    fn delivers_to_the_far(&self) -> Outcome {
        let outcome = self.scene.run(0);
        assert_eq!(self.far.ids(), [1, 2, 3]);
        assert_eq!(self.scene.receiver().count(), 0);
        assert_eq!(self.scene.config.owed(), Vec::<Value>::new());
        outcome
    }
}

fn named(entry: &Value, name: &str) -> Value {
    let mut entry = entry.clone();
    entry["name"] = json!(name);
    entry
}

#[test]
fn entries_that_trade_their_places_keep_what_is_owed_to_them() {
    let mut two = TwoServers::owing();
    let (near, far) = (two.near_entry(), two.far_entry());
    two.set(&[&far, &near]);
    let outcome = two.delivers_to_the_far();
    outcome.assert_says(&["nothing is owed any more"]);
}

#[test]
fn an_entry_that_is_inserted_takes_nothing() {
    let mut two = TwoServers::owing();
    let (near, far) = (two.near_entry(), two.far_entry());
    let mut third = near.clone();
    third["where"] = json!("id > 0");
    two.set(&[&third, &near, &far]);
    let outcome = two.delivers_to_the_far();
    outcome.assert_says(&["is new and starts at the position"]);
}

#[test]
fn a_destination_that_is_left_alone_is_called_by_its_table_and_keeps_what_is_owed() {
    let mut two = TwoServers::owing();
    let far = two.far_entry();
    two.set(&[&far]);
    two.delivers_to_the_far();
}

#[test]
fn names_that_are_given_or_traded_take_along_what_is_owed() {
    let mut two = TwoServers::owing();
    let (near, far) = (two.near_entry(), two.far_entry());
    two.far.answer(|_| Answer::status(500));
    two.set(&[&named(&near, "x"), &named(&far, "y")]);
    two.scene.run(1);
    assert_eq!(two.owed_to(), ["y", "y", "y"]);
    two.set(&[&named(&near, "y"), &named(&far, "x")]);
    two.scene.cupid("status").exits(1);
    two.scene.run(1);
    assert_eq!(two.owed_to(), ["x", "x", "x"]);
    // An endpoint that took nothing is asked for its oldest row alone.
    assert!(webhook_ids(&two.far).is_subset(&two.detections));
    two.far.answer(|_| Answer::ok());
    two.delivers_to_the_far();
    let ids = webhook_ids(&two.far);
    assert_eq!(ids, two.detections, "a detection keeps its webhook-id");
}

/// The entry is alone, or has the other one's name, while an audit is at work.
#[test]
fn audits_of_other_names_leave_every_callback_to_its_destination() {
    let mut two = TwoServers::owing();
    let (near, far) = (two.near_entry(), two.far_entry());
    two.far.answer(|_| Answer::status(500));
    two.scene.receiver().answer(|_| Answer::status(500));
    two.set(&[&named(&near, "x"), &named(&far, "y")]);
    two.scene.run(1);
    two.far.take();

    two.set(&[&far]);
    two.scene.cupid("reconcile").exits(1);
    let near_copy = &two.scene.db.copies[0];
    two.scene
        .db
        .exec(&format!("DELETE FROM `{near_copy}`.user"));
    two.set(&[&named(&near, "y"), &named(&far, "x")]);
    two.scene.cupid("reconcile").exits(1);
    two.far.take();
    two.scene.receiver().take();

    two.far.answer(|_| Answer::ok());
    two.scene.receiver().answer(|_| Answer::ok());
    two.scene.run(0);
    assert_eq!(two.far.ids(), [1, 2, 3]);
    assert_eq!(two.scene.receiver().ids(), [1, 2, 3]);
    let ids = webhook_ids(&two.far);
    assert_eq!(ids, two.detections, "a detection keeps its webhook-id");
    assert_eq!(two.scene.config.owed(), Vec::<Value>::new());
}

#[test]
fn a_dry_run_renames_nothing() {
    let mut two = TwoServers::owing();
    let (near, far) = (two.near_entry(), two.far_entry());
    two.set(&[&named(&far, "x"), &near]);
    let before = two.scene.config.state_snapshot();
    let outcome = two.scene.cupid("run").arg("--dry-run").exits(1);
    assert!(two.scene.config.state_snapshot() == before, "{outcome:?}");
    two.delivers_to_the_far();
}

#[test]
fn a_copy_that_is_taken_out_keeps_its_callbacks_and_gets_them_back() {
    let mut two = TwoServers::owing();
    let (near, far) = (two.near_entry(), two.far_entry());
    // The near one takes over the name that was the far one's.
    two.set(&[&named(&near, &two.far_name())]);
    let outcome = two.scene.run(1);
    outcome
        .assert_says(&["3 callbacks owed to destinations that the configuration no longer names"]);
    assert_eq!((two.far.count(), two.scene.receiver().count()), (0, 0));
    two.set(&[&near, &named(&far, "back")]);
    two.delivers_to_the_far();
}

#[test]
fn a_copy_that_lags_keeps_its_place_when_the_entries_trade_theirs() {
    let mut two = TwoServers::owing();
    two.scene.run(0);
    let (near, far) = (two.near_entry(), two.far_entry());
    two.far.take();
    let mut unreadable = far.clone();
    unreadable["password"] = json!("hidden and wrong");
    two.set(&[&near, &unreadable]);
    two.scene.db.add_users(4..=5);
    two.scene
        .db
        .exec("INSERT INTO des.user SELECT * FROM src.user WHERE id > 3");
    two.scene.run(1);
    two.set(&[&far, &near]);
    two.scene.run(0);
    assert_eq!(two.far.ids(), [4, 5]);
}

#[test]
fn a_server_that_moved_is_told_and_keeps_its_position_and_its_callbacks() {
    for pointer in ["/des/0/dsn", "/src/dsn"] {
        let mut scene = Scene::bare(Db::on(Server::private(), 1));
        scene.db.user_table();
        scene.db.add_users(1..=3);
        scene.receiver().answer(|_| Answer::status(500));
        scene.run(1);
        scene.receiver().take();
        scene.receiver().answer(|_| Answer::ok());
        let dsn = scene
            .config
            .value
            .pointer(pointer)
            .unwrap()
            .as_str()
            .unwrap();
        let moved = dsn.replace("127.0.0.1", "LocalHost");
        scene.config.set(pointer, moved);
        let outcome = scene.run(0);
        outcome.assert_says(&["moved from 127.0.0.1:", "to localhost:", "cupid reconcile"]);
        assert_eq!(scene.receiver().ids(), [1, 2, 3]);
        scene.receiver().take();
        scene.run(0).assert_silent();
        assert_eq!(scene.receiver().count(), 0);
    }
}

#[test]
fn two_destinations_of_one_table_keep_apart_whatever_their_order() {
    let mut scene = Scene::with_missing(1..=2);
    let other = Receiver::start();
    let mut first = scene.config.value["des"][0].clone();
    first.as_object_mut().unwrap().remove("name");
    let mut second = first.clone();
    second["callbackNotification"]["url"] = json!(other.url());
    scene.config.value["des"] = json!([first, second]);
    other.answer(|_| Answer::status(500));
    scene.run(1);
    scene.config.value["des"] = json!([second, first]);
    scene.receiver().take();
    other.take();
    other.answer(|_| Answer::ok());
    scene.run(0);
    assert_eq!((scene.receiver().count(), other.ids()), (0, vec![1, 2]));
    // Nothing tells these apart.
    scene.config.value["des"] = json!([first, first]);
    scene
        .run(78)
        .assert_says(&["des[1].name", "is missing", "des[0]"]);
}

#[test]
fn state_of_the_version_before_is_read_in_the_order_of_its_file() {
    let mut two = TwoServers::owing();
    let before = |name: &str| {
        if *name == two.far_name() {
            "b.user#2"
        } else {
            "b.user"
        }
    };
    let copy = &two.scene.db.copies[0];
    let old_name = |name: &str| before(name).replace("b.user", &format!("{copy}.user"));
    let path = two.scene.config.state_file("checkpoint.json");
    let mut checkpoint: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    checkpoint["version"] = json!(1);
    for key in ["destinations", "config", "sourceServer"] {
        checkpoint.as_object_mut().unwrap().remove(key).expect(key);
    }
    for name in checkpoint["positions"][0]["destinations"]
        .as_array_mut()
        .unwrap()
    {
        *name = json!(old_name(name.as_str().unwrap()));
    }
    std::fs::write(&path, checkpoint.to_string()).unwrap();
    let owed: Vec<String> = two
        .scene
        .config
        .owed()
        .into_iter()
        .map(|mut owed| {
            owed["destination"] = json!(old_name(owed["destination"].as_str().unwrap()));
            owed.as_object_mut().unwrap().remove("address").unwrap();
            owed.to_string() + "\n"
        })
        .collect();
    std::fs::write(two.scene.config.state_file("owed.jsonl"), owed.concat()).unwrap();
    two.far.answer(|_| Answer::status(500));
    two.scene.run(1);
    assert_eq!(
        two.owed_to(),
        [two.far_name(), two.far_name(), two.far_name()]
    );
    two.far.take();
    two.far.answer(|_| Answer::ok());
    let (near, far) = (two.near_entry(), two.far_entry());
    two.set(&[&far, &near]);
    two.delivers_to_the_far();
}
