//! The command `cupid`.

fn main() {}
