//! What of a page its readers rely on.

use super::charts::COLUMN_BARS;
use super::*;
use crate::logic::report::line::{Fate, Kind, Line};
use crate::logic::report::summary::{Counts, OfDestination, Pause, Unread};

fn line(kind: Kind, id: Id, column: &str) -> Line {
    Line {
        detected_at: "2024-01-02T03:04:05.000Z".into(),
        ..crate::logic::report::digest::tests::line(kind, id, column)
    }
}

fn digest(lines: impl IntoIterator<Item = Line>) -> Digest {
    let mut digest = Digest::default();
    lines.into_iter().for_each(|line| digest.add(&line));
    digest
}

/// Different rows of these ids.
fn different(ids: impl IntoIterator<Item = Id>) -> impl Iterator<Item = Line> {
    ids.into_iter().map(|id| line(Kind::Different, id, "name"))
}

fn shown(digest: &Digest, summary: &Summary) -> String {
    page(
        digest,
        &About {
            name: "t".into(),
            summary: Some(summary),
            ..About::default()
        },
    )
}

#[track_caller]
fn assert_has(html: &str, texts: &[&str]) {
    for text in texts {
        assert!(html.contains(text), "{text} in {html}");
    }
}

#[track_caller]
fn assert_lacks(html: &str, texts: &[&str]) {
    for text in texts {
        assert!(!html.contains(text), "{text} in {html}");
    }
}

fn summary() -> Summary {
    summary_of(vec![destination()])
}

fn summary_of(each: Vec<OfDestination>) -> Summary {
    Summary {
        each,
        ..Summary::default()
    }
}

fn destination() -> OfDestination {
    OfDestination {
        counts: Counts {
            compared: 1_000,
            ..Counts::default()
        },
        ..OfDestination::default()
    }
}

#[test]
fn the_head_says_how_it_came_out() {
    let none = shown(&digest([]), &summary());
    let good = "<p class=\"verdict good\">No difference of 1,000 compared</p>";
    assert_has(&none, &["<title>t · no difference</title>", good]);
    assert_lacks(
        &none,
        &["once for each destination", "stopped before", "<h2>By"],
    );
    let one = shown(&digest(different([7])), &summary());
    let is_not = "<b>1 row</b> of 1,000 compared is not what the source says";
    assert_has(&one, &["<title>my.user · 1 row to repair</title>", is_not]);
    assert_lacks(&one, &["once for each destination"]);
    let two = shown(&digest(different([7, 8])), &summary());
    assert_has(
        &two,
        &[
            "2 rows to repair",
            "<b>2 rows</b> of 1,000 compared are not",
        ],
    );
}

#[test]
fn what_makes_the_numbers_doubtful_is_said_beside_them() {
    let unread = Unread {
        destination: "e".into(),
        reason: "<down>".into(),
        exit: crate::error::Exit::Failed,
    };
    let stopped = "stopped before its end";
    let rows_of_each = "once for each destination";
    let unread_text = "<p class=\"warning\">e could not be read: &lt;down&gt;</p>";
    for (summary, text) in [
        (
            Summary {
                interrupted: true,
                ..summary()
            },
            stopped,
        ),
        (
            Summary {
                paused: Some(Pause::MaxOwed),
                ..summary()
            },
            stopped,
        ),
        (summary_of(vec![destination(), destination()]), rows_of_each),
        (
            summary_of(vec![OfDestination {
                unread: Some(unread),
                ..destination()
            }]),
            unread_text,
        ),
    ] {
        let html = shown(&digest([]), &summary);
        let is_good = text == rows_of_each;
        let verdict = if is_good { "verdict good" } else { "verdict" };
        let verdict = format!("<p class=\"{verdict}\">No difference of 1,000 compared</p>");
        assert_has(&html, &[text, &verdict]);
    }
    let of_e = Line {
        destination: "e".into(),
        ..line(Kind::Missing, 2, "")
    };
    assert_has(
        &shown(&digest([line(Kind::Missing, 1, ""), of_e]), &summary()),
        &[rows_of_each],
    );
}

#[test]
fn tiles_are_what_there_is_and_nothing_else() {
    let fates = [Fate::Delivered, Fate::Owed, Fate::Owed, Fate::DryRun];
    let lines = different(1..=4).zip(fates);
    let digest = digest(lines.map(|(line, callback)| Line { callback, ..line }));
    let mut agreed = summary();
    agreed.each[0].counts.agreed_later = 3;
    let tiles = [
        "<b>4</b><span>different</span>",
        "<b>1</b><span>called back</span>",
        "<b>2</b><span>callbacks still owed</span>",
        "<b>3</b><span>agreed at the second look</span>",
    ];
    assert_has(&shown(&digest, &agreed), &tiles);
    assert_eq!(shown(&digest, &agreed).matches("class=\"tile ").count(), 4);
    assert_eq!(
        shown(&digest, &summary()).matches("class=\"tile ").count(),
        3
    );
    assert_has(
        &shown(&digest, &summary()),
        &["swatch different\"></span>different 4</span>"],
    );
    assert_lacks(&shown(&digest, &summary()), &["swatch missing"]);
}

#[test]
fn bars_are_as_long_as_their_rows_are_many_the_longest_first() {
    let of = |destination: &str, ids: std::ops::Range<Id>| {
        let destination = destination.to_owned();
        different(ids).map(move |line| Line {
            destination: destination.clone(),
            ..line
        })
    };
    let digest = digest(
        of("a", 0..1)
            .chain(of("b", 0..2_000))
            .chain(of("c", 0..667)),
    );
    let html = shown(&digest, &summary());
    let bars = ["b", "c", "a"].map(|name| {
        html.find(&format!("<span class=\"label\">{name}</span>"))
            .unwrap()
    });
    assert!(bars.is_sorted(), "{bars:?}");
    for (width, title) in [("100.0%", "2,000"), ("33.3%", "667"), ("0.4%", "1")] {
        let bar = format!("style=\"width:{width}\" title=\"{title} different\"");
        assert_has(
            &html,
            &[&bar, &format!("<span class=\"number\">{title}</span>")],
        );
    }
}

#[test]
fn only_so_many_columns_have_a_bar_and_the_others_are_counted() {
    for (columns, more) in [
        (25, None),
        (26, Some("and 1 more column<")),
        (28, Some("and 3 more columns<")),
    ] {
        let lines = (0..columns).map(|column| line(Kind::Different, 1, &format!("c{column}")));
        let html = shown(&digest(lines), &summary());
        let bars = html.matches("<span class=\"label\">c").count();
        assert_eq!(bars, COLUMN_BARS.min(columns));
        assert_eq!(html.contains("more column"), more.is_some());
        assert_has(&html, more.as_slice());
    }
    let missing = shown(&digest([line(Kind::Missing, 1, "")]), &summary());
    assert_lacks(&missing, &["Columns that differ"]);
}

#[test]
fn the_bars_over_the_id_range_say_where_the_rows_lie() {
    // 80 ids in 40 parts: four rows in the first one, two and one in the second one, one in the last one.
    let lines = [1, 1, 2, 2, 3, 4, 80].into_iter().enumerate();
    let lines = lines.map(|(number, id)| Line {
        key: number.to_string(),
        ..line(Kind::Different, id, "name")
    });
    let digest = digest(lines.chain([line(Kind::Missing, 3, "")]));
    let about = About {
        id_range: Some((1, 80)),
        ..About::default()
    };
    let html = page(&digest, &about);
    let rect = |kind: &str, x: u32, y: u32, height: u32| {
        format!(
            "<rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"9\" height=\"{height}\"></rect>"
        )
    };
    assert_has(
        &html,
        &[
            "viewBox=\"0 0 400 1000\"",
            "<title>ids 1 to 2: 4 rows</title>",
            "<title>ids 3 to 4: 3 rows</title>",
            "<title>ids 5 to 6: 0 rows</title>",
            "<title>ids 79 to 80: 1 row</title>",
            &rect("bed", 0, 0, 1000),
            &rect("bed", 390, 0, 1000),
            &rect("different", 0, 0, 1000),
            &rect("missing", 10, 750, 250),
            &rect("different", 10, 250, 500),
            &rect("different", 390, 750, 250),
            "<span>1</span><span>80</span>",
            "Each bar is about 2 ids; the highest stands for 4 rows.",
        ],
    );
    assert_eq!(html.matches("width=\"9\"").count(), 40 + 4);
}

#[test]
fn a_range_is_as_wide_as_the_rows_and_a_single_row_is_to_be_seen() {
    let many = different((0..1_000).map(|n| n % 10));
    let many = many.enumerate().map(|(number, line)| Line {
        key: number.to_string(),
        ..line
    });
    let html = shown(&digest(many.chain(different([4_000_000]))), &summary());
    assert_has(
        &html,
        &[
            "<span>0</span><span>4,000,000</span>",
            "Each bar is about 100,001 ids; the highest stands for 1,000 rows.",
            "x=\"390\" y=\"988\" width=\"9\" height=\"12\"",
        ],
    );
    let about = About {
        id_range: Some((10, 20)),
        ..About::default()
    };
    let outside = page(&digest(different([-5, 30])), &about);
    assert_has(&outside, &["<span>-5</span><span>30</span>"]);
    let one = page(&digest(different([7])), &About::default());
    assert_has(&one, &["<title>ids 7 to 7: 1 row</title>", "about 1 id;"]);
    let extra = Line {
        id: String::new(),
        ..line(Kind::Extra, 0, "")
    };
    assert_lacks(&page(&digest([extra]), &about), &["Where in the id range"]);
}

#[test]
fn the_circumstances_are_listed_and_data_stay_text() {
    let about = About {
        facts: vec![("Source", "a<b>&\"'\0".into())],
        ..About::default()
    };
    let html = page(&digest(different([1])), &about);
    assert_has(
        &html,
        &[
            "<dt>Source</dt><dd>a&lt;b&gt;&amp;&quot;'\u{fffd}</dd>",
            "<dt>Differences seen</dt><dd>2024-01-02T03:04:05.000Z to 2024-01-02T03:04:05.000Z</dd>",
        ],
    );
}

#[test]
fn the_first_rows_are_said_to_be_the_first_and_each_is_named_once() {
    let kept = Id::try_from(crate::logic::report::digest::SAMPLE_ROWS).unwrap();
    let all = shown(&digest(different(1..=kept)), &summary());
    assert_has(&all, &["<span class=\"note\">20 rows</span>"]);
    let more = shown(&digest(different(1..=kept + 1_000)), &summary());
    assert_has(
        &more,
        &["<span class=\"note\">the first 20 of 1,020</span>"],
    );
    let of_columns = |columns: &[&str]| {
        let lines = columns
            .iter()
            .map(|column| line(Kind::Different, 5, column));
        let html = shown(&digest(lines), &summary());
        assert_eq!(html.matches("data-label=\"key\">n5<").count(), 1);
        let rows = html.split("<tbody>").nth(1).unwrap_or_default();
        let rows = rows.split("<tr").skip(1);
        let classes = rows.map(|row| row.split('>').next().unwrap_or_default().to_owned());
        classes.collect::<Vec<_>>()
    };
    assert_eq!(of_columns(&["a"]), [""]);
    let [first, next, last] = [
        " class=\"more\"",
        " class=\"again more\"",
        " class=\"again\"",
    ];
    assert_eq!(of_columns(&["a", "b"]), [first, last]);
    assert_eq!(of_columns(&["a", "b", "c"]), [first, next, last]);
    let missing = shown(&digest([line(Kind::Missing, 1, "")]), &summary());
    assert_lacks(&missing, &["in the copy"]);
    assert_has(
        &all,
        &["<th>column</th><th>in the source</th><th>in the copy</th>"],
    );
}

/// The page of a report and a run in which every text is this one.
fn page_of(text: &str) -> String {
    let lines = Kind::ALL.map(|kind| Line {
        source: text.into(),
        destination: text.into(),
        key: text.into(),
        source_value: format!("{text}1"),
        destination_value: format!("{text}2"),
        ..line(kind, 7, if kind == Kind::Different { text } else { "" })
    });
    let unread = Unread {
        destination: text.into(),
        reason: text.into(),
        exit: crate::error::Exit::Failed,
    };
    let summary = summary_of(vec![OfDestination {
        unread: Some(unread),
        ..destination()
    }]);
    let about = About {
        name: text.into(),
        facts: vec![("Source", text.into())],
        summary: Some(&summary),
        ..About::default()
    };
    page(&digest(lines), &about)
}

/// Everything between `<` and `>`.
fn tags(html: &str) -> Vec<&str> {
    let tags = html.split('<').skip(1);
    tags.filter_map(|tag| Some(tag.split_once('>')?.0))
        .collect()
}

#[test]
fn no_text_of_a_row_or_a_server_makes_or_changes_a_tag() {
    let harmless = page_of("harmless");
    let places = harmless.matches("harmless").count();
    assert!(places > 15, "{harmless}");
    for (text, escaped) in [
        (
            "<script>alert(1)</script>",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
        ),
        (
            "</title></style><b>",
            "&lt;/title&gt;&lt;/style&gt;&lt;b&gt;",
        ),
        (
            "\"><img src=x onerror=alert(1)>",
            "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;",
        ),
        ("' onmouseover='alert(1)", "' onmouseover='alert(1)"),
        ("<!--", "&lt;!--"),
        ("]]><?php", "]]&gt;&lt;?php"),
        ("&lt;b&gt;&#60;b>", "&amp;lt;b&amp;gt;&amp;#60;b&gt;"),
        ("a\0<b", "a\u{fffd}&lt;b"),
    ] {
        let html = page_of(text);
        assert_eq!(tags(&html), tags(&harmless), "{text}");
        assert_has(&html, &[&format!("<h1>{escaped}</h1>")]);
        assert_eq!(html.matches(escaped).count(), places, "{text}");
    }
}
