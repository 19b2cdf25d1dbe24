//! Records that memory does not hold, in temporary files without a name: they are gone when the process is.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, Write as _};

use crate::error::{Error, Result};
use crate::logic::audit::pairing::Outgoing;
use crate::logic::audit::record::{RECORD_BYTES, Record, Side};
use crate::world::{Spill, SpillSpace};

/// Buffer of one file: 64 partitions of two sides share this much of the memory.
const BUFFER_BYTES: usize = 64 << 10;

/// One file for each partition and side, in the system's folder for temporary files (`$TMPDIR`).
#[derive(Debug, Default)]
struct SpillFiles(HashMap<(usize, bool), BufWriter<File>>);

/// Temporary files.
#[derive(Debug)]
pub(crate) struct TemporaryFiles;

impl SpillSpace for TemporaryFiles {
    fn open(&self) -> Box<dyn Spill> {
        Box::<SpillFiles>::default()
    }
}

impl Spill for SpillFiles {
    fn append(&mut self, outgoing: &Outgoing) -> Result<()> {
        let Outgoing {
            partition,
            side,
            records,
        } = outgoing;
        let file = match self.0.entry((*partition, *side == Side::Source)) {
            Entry::Occupied(file) => file.into_mut(),
            Entry::Vacant(place) => {
                let file = tempfile::tempfile().map_err(failed("Create a temporary file in"))?;
                place.insert(BufWriter::with_capacity(BUFFER_BYTES, file))
            }
        };
        for record in records {
            file.write_all(&record.to_bytes())
                .map_err(failed("Write a temporary file in"))?;
        }
        Ok(())
    }

    fn take(&mut self, partition: usize, side: Side) -> Result<Vec<Record>> {
        let Some(file) = self.0.remove(&(partition, side == Side::Source)) else {
            return Ok(vec![]);
        };
        let failed = || failed("Read a temporary file in");
        let mut file = file
            .into_inner()
            .map_err(|error| failed()(error.into_error()))?;
        file.rewind().map_err(failed())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed())?;
        Ok(bytes
            .as_chunks::<RECORD_BYTES>()
            .0
            .iter()
            .map(Record::from_bytes)
            .collect())
    }
}

fn failed(operation: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::File {
        operation,
        path: std::env::temp_dir(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::audit::record::Tag;

    #[test]
    fn what_is_spilled_comes_back_once_and_by_partition_and_side() {
        let mut spill = SpillFiles::default();
        let record = |tag| Record {
            key: 1 << 100,
            row: 2,
            tag: Tag::of_id(tag),
        };
        let many: Vec<Record> = (0..10_000).map(record).collect();
        let mut append = |side, records: &[Record]| {
            let outgoing = Outgoing {
                partition: 3,
                side,
                records: records.to_vec(),
            };
            spill.append(&outgoing).unwrap();
        };
        append(Side::Source, &many[..5_000]);
        append(Side::Destination, &many[..1]);
        append(Side::Source, &many[5_000..]);
        assert_eq!(spill.take(3, Side::Source).unwrap(), many);
        assert_eq!(spill.take(3, Side::Destination).unwrap(), many[..1]);
        assert_eq!(spill.take(3, Side::Source).unwrap(), []);
        assert_eq!(spill.take(4, Side::Source).unwrap(), []);
    }
}
