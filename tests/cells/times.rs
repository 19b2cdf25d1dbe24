//! Dates and times.

use mysql::prelude::Queryable;
use serde_json::json;

use super::common::Scene;
use super::{judge, pair};

#[test]
fn dates_and_times_agree_at_the_coarser_precision() {
    judge(&[
        pair(
            "DATE",
            "DATE",
            &[
                ("'2024-02-29'", "'2024-02-29'"),
                ("'0000-00-00'", "'0000-00-00'"),
                ("'2024-00-00'", "'2024-00-00'"),
            ],
            &[
                ("'2024-02-29'", "'2024-03-01'"),
                ("'0000-00-00'", "NULL"),
                ("NULL", "'0000-00-00'"),
                ("'2024-00-00'", "'2024-01-01'"),
            ],
        ),
        pair(
            "DATETIME",
            "DATETIME",
            &[
                ("'9999-12-31 23:59:59'", "'9999-12-31 23:59:59'"),
                ("'0000-00-00'", "'0000-00-00'"),
            ],
            &[
                ("'2024-01-01 00:00:00'", "'2024-01-01 00:00:01'"),
                ("'0000-00-00'", "NULL"),
            ],
        ),
        pair(
            "DATETIME(3)",
            "DATETIME(3)",
            &[("'2024-01-01 00:00:00.123'", "'2024-01-01 00:00:00.123'")],
            &[("'2024-01-01 00:00:00.123'", "'2024-01-01 00:00:00.124'")],
        ),
        pair(
            "DATETIME(6)",
            "DATETIME(3)",
            &[("'2024-01-01 00:00:00.123400'", "'2024-01-01 00:00:00.123'")],
            &[("'2024-01-01 00:00:00.123'", "'2024-01-01 00:00:00.125'")],
        ),
        pair(
            "DATETIME",
            "DATETIME(3)",
            &[("'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000'")],
            &[("'2024-01-01 00:00:00'", "'2024-01-01 00:00:02.000'")],
        ),
        pair(
            "TIMESTAMP NULL",
            "TIMESTAMP NULL",
            &[
                ("'2024-01-01 00:00:00'", "'2024-01-01 00:00:00'"),
                ("NULL", "NULL"),
            ],
            &[
                ("'2024-01-01 00:00:00'", "'2024-01-01 00:00:01'"),
                ("NULL", "'2024-01-01 00:00:00'"),
            ],
        ),
        pair(
            "TIMESTAMP(6) NULL",
            "TIMESTAMP(3) NULL",
            &[("'2024-01-01 00:00:00.123400'", "'2024-01-01 00:00:00.123'")],
            &[("'2024-01-01 00:00:00.5'", "'2024-01-01 00:00:00.6'")],
        ),
        pair(
            "TIME",
            "TIME",
            &[
                ("'-838:59:59'", "'-838:59:59'"),
                ("'00:00:00'", "'00:00:00'"),
            ],
            &[("'01:00:00'", "'-01:00:00'")],
        ),
        pair(
            "TIME(6)",
            "TIME(3)",
            &[("'01:02:03.456100'", "'01:02:03.456'")],
            &[("'01:02:03.456'", "'01:02:03.457'")],
        ),
    ]);
}

#[test]
fn timestamps_agree_as_instants_whatever_the_sessions_zone_was() {
    let scene = Scene::in_sync(1..=3);
    for name in ["src.user", "des.user"] {
        scene
            .db
            .exec(&format!("ALTER TABLE {name} ADD t TIMESTAMP NULL"));
    }
    let mut elsewhere = scene.db.session();
    Queryable::query_drop(&mut elsewhere, "SET time_zone = '+08:00'").expect("Set the zone");
    for sql in [
        "UPDATE src.user SET t = '2024-01-01 08:00:00'",
        "UPDATE des.user SET t = '2024-01-01 08:00:00' WHERE id <> 2",
    ] {
        Queryable::query_drop(&mut elsewhere, scene.db.sql(sql)).expect("Update");
    }
    let mut here = scene.db.session();
    Queryable::query_drop(&mut here, "SET time_zone = '+00:00'").expect("Set the zone");
    Queryable::query_drop(
        &mut here,
        scene
            .db
            .sql("UPDATE des.user SET t = '2024-01-01 00:00:00' WHERE id = 1"),
    )
    .expect("Update");
    Queryable::query_drop(
        &mut here,
        scene
            .db
            .sql("UPDATE des.user SET t = '2024-01-01 08:00:00' WHERE id = 2"),
    )
    .expect("Update");
    let mut scene = scene;
    scene.config.set("/des/0/columns", json!({"t": "t"}));
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [2]);
}
