//! `src`.

use std::time::Duration;

use super::reader::Reader;
use super::table::{self, required_name};
use super::words::nearest;
use super::{SourceJob, UpdateJob, default_state_dir, notify};
use crate::logic::notify::Channel;
use crate::logic::scan::php_date::PhpDateFormat;
use crate::logic::scan::zone::Zone;

const DAY_MS: u64 = 86_400_000;

/// Reads `src`, and the channel that it names. `None` goes with a problem written down.
pub(super) fn read(reader: Reader<'_>) -> Option<(SourceJob, Option<Channel>)> {
    let table = table::read(&reader);
    let id_column = reader
        .text(
            "idColumn",
            "should hold the name of the increasing integer key",
        )
        .map_or_else(|| "id".into(), |text| text.value);
    let start_id = reader.integer("insertStartId", i64::MIN.into()..=u64::MAX.into(), "");
    let insert = reader.flag("insert", false);
    let insert_interval_ms =
        reader.whole("insertIntervalMillisecond", 1..=DAY_MS, "of milliseconds");
    let allow_full_scan = reader.flag("allowFullScan", false);
    let late_commit_s = reader.whole("lateCommitSecond", 0..=604_800, "of seconds");
    let update_interval_ms =
        reader.whole("updateIntervalMillisecond", 1..=DAY_MS, "of milliseconds");
    let update = read_update(&reader);
    let state_dir = reader.file("cacheFilePath", "should hold a folder");
    let state_dir = match state_dir {
        None if !reader.has("cacheFilePath") => default_state_dir(reader.context()),
        given => given,
    };
    let state_dir = reader.require(
        "cacheFilePath",
        state_dir,
        "should hold a folder for the state files, as none of STATE_DIRECTORY, XDG_STATE_HOME and HOME is set",
    );
    let pushbear = notify::read_pushbear(&reader);
    reader.finish();
    let source = SourceJob {
        table: table?,
        id_column,
        start_id,
        insert,
        insert_interval: Duration::from_millis(insert_interval_ms.unwrap_or(2000)),
        late_commit: Duration::from_secs(late_commit_s.unwrap_or(60)),
        update: update?,
        update_interval: Duration::from_millis(update_interval_ms.unwrap_or(2000)),
        state_dir: state_dir?,
        allow_full_scan,
    };
    Some((source, pushbear))
}

/// The keys of the update scan: the outer `None` is a problem, the inner one is `update: false`.
// A problem and "off" are two answers, and an enum for this one place would say no more.
#[expect(clippy::option_option)]
fn read_update(reader: &Reader<'_>) -> Option<Option<UpdateJob>> {
    const COLUMN: &str = "should hold the indexed column of the update time, as update is true";
    const SCAN: &str =
        "should hold a whole number of seconds from 1 to 31536000, as update is true";
    let on = reader.flag("update", false);
    let scan_s = reader.whole("updateScanSecond", 1..=31_536_000, "of seconds");
    let time_zone = read_zone(reader);
    if !on {
        // The keys may hold anything that the file's author left there, and are known all the same.
        for key in ["updateColumn", "updateTimeFormate", "updateTimeFormat"] {
            reader.value(key);
        }
        return Some(None);
    }
    let column = required_name(reader, "updateColumn", COLUMN);
    let format = read_format(reader);
    let scan_s = reader.require("updateScanSecond", scan_s, SCAN);
    Some(Some(UpdateJob {
        column: column?,
        scan: Duration::from_secs(scan_s?),
        format,
        time_zone,
    }))
}

/// `updateTimeFormate`, as the first cupid spells it, or `updateTimeFormat`.
fn read_format(reader: &Reader<'_>) -> Option<PhpDateFormat> {
    const SHOULD: &str =
        "should hold a format of PHP's date() such as Y-m-d H:i:s or U, or be left out";
    let [old, new] =
        ["updateTimeFormate", "updateTimeFormat"].map(|key| (key, reader.text(key, SHOULD)));
    if let ((_, Some(old)), (key, Some(new))) = (&old, &new)
        && old.value != new.value
    {
        reader.refuse(
            key,
            new,
            "should be the same as updateTimeFormate, or only one of the two should be given",
        );
    }
    let (key, text) = if old.1.is_some() { old } else { new };
    let text = text?;
    match PhpDateFormat::parse(&text.value) {
        Ok(format) => Some(format),
        Err(problem) => {
            reader.refuse(key, &text, &problem);
            None
        }
    }
}

/// `timeZone`.
fn read_zone(reader: &Reader<'_>) -> Option<Zone> {
    const SHOULD: &str = "should hold a name of the tz database such as Asia/Shanghai, UTC, or an offset such as \
                          +08:00 (up to 14:00)";
    let text = reader.text("timeZone", SHOULD)?;
    let zone = parse_zone(text.value.trim());
    if zone.is_none() {
        let names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()).collect();
        let near = nearest(&text.value, &names)
            .map_or(String::new(), |name| format!(" (did you mean {name}?)"));
        reader.refuse("timeZone", &text, &format!("{SHOULD}{near}"));
    }
    zone
}

fn parse_zone(text: &str) -> Option<Zone> {
    let (sign, offset) = match text.split_at_checked(1)? {
        ("+", offset) => (1, offset),
        ("-", offset) => (-1, offset),
        _ => return text.parse().ok().map(Zone::Named),
    };
    let (hours, minutes) = offset.split_once(':')?;
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i32>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let minutes_all = hours * 60 + minutes;
    (minutes < 60 && minutes_all <= 14 * 60).then_some(Zone::Fixed(sign * minutes_all * 60))
}
