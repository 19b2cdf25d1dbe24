//! The state files: a damaged or forged one is refused or understood, never a panic; what is understood comes back as it
//! was written.

use cupid::logic::callback::outbox::Outbox;
use cupid::logic::scan::bounds::Bounds;
use cupid::logic::scan::checkpoint::{Checkpoint, Position, joined};
use cupid::logic::scan::plan::{Limits, Scan, What};
use cupid::logic::value::cell::{Cell, Id};
use cupid::logic::value::row::Row;

const SOURCE: &str = "my.user";
/// A scan of what a state file says is followed for so many batches.
const BATCHES_MAX: usize = 64;

pub(super) fn run(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    if how.is_multiple_of(2) {
        checkpoint(&text, how);
    } else {
        owed(&text);
    }
}

fn checkpoint(text: &str, how: u8) {
    let Ok(checkpoint) = Checkpoint::parse(text, SOURCE) else {
        return;
    };
    comes_back(&checkpoint);
    assert!(checkpoint.is_nearly(&checkpoint));
    let positions = checkpoint.positions_of(&["a".into(), "b".into()]);
    assert!(checkpoint.positions.len() <= positions.len() + checkpoint.positions.len());
    for position in &positions {
        scan(&checkpoint, position.clone(), how);
    }
    if !positions.is_empty() {
        // They name destinations that the text need not describe.
        comes_back(&Checkpoint {
            destinations: vec![],
            positions: joined(positions),
            ..checkpoint
        });
    }
}

/// Follows the scan that a position asks for, over a table that has every second id.
fn scan(checkpoint: &Checkpoint, position: Position, how: u8) {
    let bounds = Bounds {
        now_us: 1_700_000_000_000_000,
        id_max: (how & 2 == 0).then_some(if how & 4 == 0 {
            Id::from(u64::MAX)
        } else {
            1000
        }),
        key_max: (how & 32 == 0).then_some(7),
    };
    let limits = Limits {
        insert: how & 8 == 0,
        update: how & 16 == 0,
        start_id: 0,
        late_commit_us: 60_000_000,
        update_scan_us: 5_000_000,
    };
    let mut pass = Scan::new(position, bounds, limits);
    for _ in 0..BATCHES_MAX {
        let Some(request) = pass.next_request() else {
            break;
        };
        let ids: Vec<Id> = match &request.what {
            What::Holes(spans) | What::Suspects(spans) | What::Keys(spans) => spans
                .iter()
                .map(|span| span.from)
                .take(request.limit)
                .collect(),
            What::Again(span) | What::New(span) => (0..)
                .map(|step| span.from + step * 2)
                .take_while(|&id| id <= span.to)
                .take(3)
                .collect(),
            What::Updated { .. } => vec![1, 2],
        };
        let row = |id| Row {
            id,
            key: Cell::Null,
            updated: Cell::Null,
            cells: vec![],
        };
        pass.advance(request, ids.into_iter().map(row).collect());
        let _ = pass.ids_left();
        pass.again(5);
    }
    comes_back(&Checkpoint {
        destinations: vec![],
        positions: vec![pass.position().clone()],
        ..checkpoint.clone()
    });
}

fn comes_back(checkpoint: &Checkpoint) {
    let text = checkpoint.to_text().expect("a checkpoint can be written");
    assert_eq!(
        Checkpoint::parse(&text, SOURCE).as_ref(),
        Ok(checkpoint),
        "{text}"
    );
}

fn owed(text: &str) {
    let Ok(mut outbox) = Outbox::parse(text) else {
        return;
    };
    let lines = |outbox: &Outbox| -> String {
        outbox
            .iter()
            .map(|owed| serde_json::to_string(owed).expect("it can be written") + "\n")
            .collect()
    };
    let written = lines(&outbox);
    assert_eq!(Outbox::parse(&written).as_ref(), Ok(&outbox), "{written}");
    for end in [1, 2, 7] {
        let torn = written
            .char_indices()
            .rev()
            .nth(end)
            .map_or(0, |(at, _)| at);
        let kept = Outbox::parse(&written[..torn]).expect("a torn last line is survived");
        assert_eq!(kept.len(), outbox.len().saturating_sub(1));
    }
    let first = outbox.iter().next().cloned();
    if let Some(first) = first {
        assert!(outbox.due(&first.destination, i64::MAX).contains(&&first));
        assert!(first.webhook_id("user", b"{}").is_ascii());
        outbox.forget_waits();
        assert!(!outbox.due(&first.destination, i64::MIN).is_empty());
        let before = outbox.len();
        assert!(!outbox.add(first.clone()).1);
        outbox.remove(&first);
        assert_eq!(outbox.len(), before - 1);
    }
}
