//! `cupid init`.

use std::path::PathBuf;

use clap::Args;

pub(super) const INIT_EXAMPLES: &str = "\
Examples:
  cupid init > user.json                          an example to fill in
  cupid init --src mysql://cupid@db1/my --table user --des mysql://cupid@db2/my2 \\
    --callback http://user-service/cupid --output user.json
  cupid init --src mysql://cupid@db1/my --table 'user_%' --table orders \\
    --des mysql://cupid@db2/my2 --callback http://user-service/cupid --output /etc/cupid/

Passwords are taken from CUPID_SRC_PASSWORD and CUPID_DES_PASSWORD (CUPID_DES2_PASSWORD for the
second --des), or asked for on a terminal. The files name these variables and hold no password.

Exit status: 0 `cupid check` can be asked; 1 written, and something has to be filled in by hand.";

/// `cupid init`.
#[derive(Args, Clone, PartialEq, Eq)]
pub struct Init {
    /// The source: its server, account and database, such as `mysql://cupid@db1:3306/my`. Without it,
    /// an example of a configuration is written
    #[arg(long, value_name = "DSN", requires = "des", requires = "table")]
    pub src: Option<String>,
    /// A copy: its server, account and database; may be given several times
    #[arg(long, value_name = "DSN", requires = "src")]
    pub des: Vec<String>,
    /// A table, or a pattern of tables in which % stands for any characters; may be given several times
    #[arg(long, value_name = "TABLE", requires = "src")]
    pub table: Vec<String>,
    /// The address that callbacks go to: one for all copies, or one for each
    #[arg(long, value_name = "URL", requires = "src")]
    pub callback: Vec<String>,
    /// Writes a new file, or for several tables a folder with a file each; without it, the
    /// configuration goes to stdout. Nothing that is there is overwritten
    #[arg(long, value_name = "FILE|FOLDER")]
    pub output: Option<PathBuf>,
}

/// A DSN may hold a password.
impl std::fmt::Debug for Init {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Init")
            .field("table", &self.table)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

impl Init {
    /// Why the numbers of options do not fit.
    pub(super) fn check(&self) -> Result<(), String> {
        let (callbacks, copies) = (self.callback.len(), self.des.len());
        if callbacks > 1 && callbacks != copies {
            return Err(format!(
                "--callback is given {callbacks} times for {copies} copies; give one for all, or one for each --des in their order"
            ));
        }
        Ok(())
    }
}
