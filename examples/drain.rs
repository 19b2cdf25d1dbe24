//! A measuring aid: how fast this machine hands over two tables when nothing is done with their rows.
//!
//! ```text
//! cargo run --release --example drain -- mysql://user:password@host:3306/db "SELECT …" mysql://user:password@host:3306/copy "SELECT …"
//! ```
//!
//! Each pair of an address and a query runs on a thread and a connection of its own, by the prepared protocol, as cupid
//! reads; every row is decoded by the crate and dropped. What a whole-table comparison takes beyond this is its own
//! doing (`scripts/bench peers`). stdout has the number of rows of each query.

use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder};

fn drain(address: &str, query: &str) -> mysql::Result<u64> {
    let options = OptsBuilder::from_opts(Opts::from_url(address)?).prefer_socket(false);
    let mut rows = 0;
    for row in Conn::new(options)?.exec_iter(query, ())? {
        row?;
        rows += 1;
    }
    Ok(rows)
}

fn main() -> mysql::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    std::thread::scope(|scope| {
        let drains: Vec<_> = args
            .chunks(2)
            .map(|pair| scope.spawn(|| drain(&pair[0], pair.get(1).map_or("", String::as_str))))
            .collect();
        for drain in drains {
            let rows = drain
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            println!("{rows}");
        }
        Ok(())
    })
}
