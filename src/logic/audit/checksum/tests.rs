use proptest::prelude::*;

use super::*;

fn column(name: &str, column_type: ColumnType) -> TextColumn {
    TextColumn {
        name: name.into(),
        column_type,
        charset: Some("utf8mb4".into()),
        marked: None,
        is_nullable: false,
        is_zerofill: false,
        scale: 2,
    }
}

fn sums(source: TextColumn, destination: TextColumn) -> Option<(String, String)> {
    checksums(&[(source, destination)], 7).ok()
}

#[test]
fn values_are_kept_apart_and_null_is_replaced_by_words_of_the_run() {
    let name = TextColumn {
        is_nullable: true,
        ..column("na`me", ColumnType::Text)
    };
    let sum = checksums(
        &[
            (
                column("id", ColumnType::Int),
                column("uid", ColumnType::Int),
            ),
            (column("name", ColumnType::Text), name),
        ],
        0x0123_4567_89ab_cdef,
    );
    let (source, destination) = sum.unwrap();
    assert_eq!(
        source,
        "COUNT(*), SUM(CRC32(SHA2(CONCAT_WS('01234567','',`id`,IFNULL(`name`,'89abcdef')),256))*1e0)"
    );
    assert_eq!(
        destination,
        "COUNT(*), SUM(CRC32(SHA2(CONCAT_WS('01234567','',`uid`,IFNULL(`na``me`,'89abcdef')),256))*1e0)"
    );
}

#[test]
fn one_text_on_both_sides_whatever_the_character_sets_and_widths() {
    let latin = TextColumn {
        charset: Some("latin1".into()),
        ..column("b", ColumnType::Text)
    };
    let (source, destination) = sums(column("a", ColumnType::Text), latin).unwrap();
    assert!(source.contains("'',`a`)"), "{source}");
    assert!(
        destination.contains("'',CONVERT(`b` USING utf8mb4))"),
        "{destination}"
    );
    let gbk = TextColumn {
        charset: Some("gbk".into()),
        marked: Some("MARKED(b)".into()),
        ..column("b", ColumnType::Text)
    };
    let (source, destination) = sums(column("a", ColumnType::Enum), gbk).unwrap();
    assert!(
        source.contains("'',HEX(CONVERT(`a` USING utf8mb4)))"),
        "{source}"
    );
    assert!(destination.contains("'',HEX(MARKED(b)))"), "{destination}");
    let zerofill = TextColumn {
        is_zerofill: true,
        ..column("b", ColumnType::Int)
    };
    let (source, destination) = sums(column("a", ColumnType::Bit), zerofill).unwrap();
    assert!(source.contains(",`a`+0)") && destination.contains(",`b`+0)"));
    let address = TextColumn {
        charset: None,
        ..column("b", ColumnType::Text)
    };
    let (_, destination) = sums(column("a", ColumnType::Text), address).unwrap();
    assert!(destination.contains("CAST(`b` AS CHAR)"), "{destination}");
    let bytes = |name| TextColumn {
        charset: None,
        is_nullable: true,
        ..column(name, ColumnType::Binary)
    };
    let (source, destination) = sums(bytes("a"), bytes("b")).unwrap();
    assert!(source.contains("IFNULL(HEX(`a`),") && destination.contains("IFNULL(HEX(`b`),"));
    let uuid = |name| column(name, ColumnType::Uuid);
    let (source, destination) = sums(uuid("a"), uuid("b")).unwrap();
    assert!(source.contains("CAST(`a` AS CHAR)"), "{source}");
    assert!(destination.contains("CAST(`b` AS CHAR)"), "{destination}");
}

#[test]
fn what_servers_may_print_otherwise_takes_no_part() {
    use ColumnType::{Binary, DateTime, Decimal, Double, Float, Int, Text, Timestamp};
    let finer = TextColumn {
        scale: 3,
        ..column("b", Decimal)
    };
    assert!(sums(column("a", Decimal), finer).is_none());
    for (one, other) in [
        (Float, Float),
        (Double, Double),
        (Int, Text),
        (Text, Binary),
        (DateTime(0), DateTime(3)),
        (DateTime(0), Timestamp(0)),
    ] {
        let refused = checksums(&[(column("a", one), column("b", other))], 7);
        assert!(refused.unwrap_err().contains("columns a and b"), "{one:?}");
    }
    for same in [Decimal, DateTime(6), Timestamp(3), Binary] {
        assert!(
            sums(column("a", same), column("b", same)).is_some(),
            "{same:?}"
        );
    }
}

#[test]
fn only_a_known_sum_of_as_many_rows_agrees() {
    let sum = |rows, sum| Checksum { rows, sum };
    assert!(sum(3, Some(7)).agrees_with(sum(3, Some(7))));
    for other in [sum(4, Some(7)), sum(3, Some(8)), sum(3, None)] {
        assert!(!sum(3, Some(7)).agrees_with(other));
        assert!(!other.agrees_with(sum(3, Some(7))));
    }
    assert!(!sum(3, None).agrees_with(sum(3, None)));
}

#[test]
fn a_sum_is_known_as_long_as_it_is_exact() {
    let sum = |rows, sum| Checksum::told(rows, sum).sum;
    assert_eq!(sum(0, None), Some(0));
    assert_eq!(sum(1, None), None);
    assert_eq!(sum(1, Some(7)), Some(7));
    assert_eq!(sum(SUMMED_ROWS_MAX, Some(7)), Some(7));
    assert_eq!(sum(SUMMED_ROWS_MAX + 1, Some(7)), None);
    // A DOUBLE holds each integer up to 2^53.
    assert!(SUMMED_ROWS_MAX * u64::from(u32::MAX) <= 1 << 53);
}

fn chunk(from: Id, rows: u64, first_key: Cell) -> Chunk {
    Chunk {
        span: Span { from, to: from + 9 },
        checksum: Checksum {
            rows,
            sum: Some(rows * 10),
        },
        first_key,
    }
}

#[test]
fn ranges_lie_side_by_side_and_cover_every_key() {
    let mut paver = Paver::new(KeyRange::default());
    let mut tiles = paver.push(vec![
        chunk(0, 2, Cell::Int(5)),
        chunk(10, 0, Cell::Null),
        chunk(20, 1, Cell::Int(9)),
    ]);
    assert_eq!(paver.held().unwrap().span.from, 20);
    tiles.extend(paver.push(vec![chunk(30, 4, Cell::Int(30))]));
    tiles.extend(paver.finish());
    let ends: Vec<_> = tiles
        .iter()
        .map(|tile| (tile.range.from.clone(), tile.range.below.clone()))
        .collect();
    let key = |value| Some(Cell::Int(value));
    assert_eq!(ends, [(None, key(9)), (key(9), key(30)), (key(30), None)]);
    assert!(Paver::new(KeyRange::default()).finish().is_none());
}

#[test]
fn a_chunk_that_begins_with_null_belongs_to_the_range_before_it() {
    let mut paver = Paver::new(KeyRange::default());
    let mut unknown = chunk(50, 1, Cell::Null);
    unknown.checksum.sum = None;
    let mut tiles = paver.push(vec![
        chunk(0, 2, Cell::Null),
        chunk(10, 3, Cell::Int(5)),
        chunk(20, 4, Cell::Null),
        chunk(40, 1, Cell::Int(9)),
        unknown,
    ]);
    tiles.extend(paver.finish());
    let key = |value| Some(Cell::Int(value));
    let told: Vec<_> = tiles
        .into_iter()
        .map(|Tile { chunk, range }| (chunk.span.from, chunk.span.to, chunk.checksum, range))
        .collect();
    let sum = |rows, sum| Checksum { rows, sum };
    let range = |from, below| KeyRange { from, below };
    assert_eq!(
        told,
        [
            (0, 9, sum(2, Some(20)), range(None, key(5))),
            (10, 29, sum(7, Some(70)), range(key(5), key(9))),
            (40, 59, sum(2, None), range(key(9), None)),
        ]
    );
}

#[test]
fn a_chunk_is_divided_until_it_is_worth_looking_at_its_rows() {
    for (rows, to, is_undivided) in [
        (64, 99, true),
        (65, 99, false),
        (65, 1, false),
        (65, 0, true),
    ] {
        let mut chunk = chunk(0, rows, Cell::Int(1));
        chunk.span.to = to;
        assert_eq!(chunk.is_undivided(), is_undivided, "{rows} {to}");
    }
}

#[test]
fn keys_that_do_not_grow_with_ids_are_noticed() {
    let tile = |rows| Tile {
        chunk: chunk(0, rows, Cell::Int(1)),
        range: KeyRange::default(),
    };
    let found = |rows| Checksum { rows, sum: Some(0) };
    let mut drifted = Alignment::default();
    let mut shuffled = Alignment::default();
    for _ in 0..8 {
        assert!(!shuffled.is_lost());
        drifted.note(&tile(8_000), found(7_000));
        shuffled.note(&tile(8_000), found(0));
    }
    assert!(!drifted.is_lost() && shuffled.is_lost());
    for (found_rows, is_lost) in [(8_000 - 2_016, false), (8_000 + 2_017, true)] {
        let mut most = Alignment::default();
        for rows in [8_000, 8_000, 8_000, 0, 0, 0, 0] {
            most.note(&tile(8_000), found(rows));
        }
        most.note(&tile(8_000), found(found_rows));
        assert_eq!(most.is_lost(), is_lost, "{found_rows}: half are not most");
    }
}

#[test]
fn widths_fit_the_ids() {
    let width = Width::default();
    assert_eq!(width.spans(1, 100, 1 << 20), [Span { from: 1, to: 100 }]);
    assert_eq!(width.spans(1, Id::MAX, 1 << 20).len(), 16);
    assert_eq!(width.spans(1, Id::MAX, 1).len(), 1);
    let dense = width.learnt(16, CHUNK_ROWS * 16 * 8);
    assert_eq!(dense.spans(0, 2_000, 1)[0].to, 1_023);
    let sparse = width.learnt(16, 16);
    assert_eq!(sparse.spans(0, Id::MAX, 1)[0].to, 4 * 8_192 - 1);
    let void = (0..20).fold(width, |width, _| width.learnt(16, 0));
    assert_eq!(void.spans(0, Id::MAX, 1)[0].to, Id::from(u64::MAX) - 1);
}

#[test]
fn checksums_are_for_links_that_are_slow_and_not_merely_far() {
    let sample = |read_us, summed_us, round_trip_us| Sample {
        read_us,
        summed_us,
        round_trip_us,
    };
    for (read_us, summed_us, round_trip_us, is_for_checksums) in [
        (30_000, 100, 10, false),
        (100_000, 100, 10, false),
        (100_001, 100, 10, true),
        (600_000, 8_000, 300, true),
        (600_000, 300_000, 300, false),
        (210_000, 208_000, 100_000, false),
        (800_000, 208_000, 100_000, true),
        (800_000, 400_000, 100_000, true),
        (799_999, 400_000, 100_000, false),
    ] {
        let sample = sample(read_us, summed_us, round_trip_us);
        assert_eq!(sample.is_for_checksums(), is_for_checksums, "{sample:?}");
    }
}

proptest! {
    #[test]
    fn parts_are_the_chunk(from in -50..50_i128, ids in 1..5_000_i128) {
        let whole = Span { from, to: from + ids - 1 };
        let chunk = Chunk { span: whole, ..chunk(0, 1_000, Cell::Null) };
        let parts = chunk.parts();
        prop_assert!(parts.len() <= usize::from(PARTS));
        let mut next = from;
        for part in &parts {
            prop_assert_eq!(part.from, next);
            prop_assert!(part.from <= part.to);
            next = part.to + 1;
        }
        prop_assert_eq!(next, whole.to + 1);
        prop_assert!(ids == 1 || parts.len() > 1);
    }
}
