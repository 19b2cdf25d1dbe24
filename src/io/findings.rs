//! The outputs of a command: a report, statements, a page.
//!
//! A page is written at the end. Until then its `FILE.partial` holds its lines as a report in CSV,
//! so an audit that goes on knows the earlier findings.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::fix_file::FixFile;
use super::report::Report;
use crate::error::Result;
use crate::logic::report::digest::Digest;
use crate::logic::report::file::{ReportFile, ReportFormat};
use crate::logic::report::fix::Repair;
use crate::logic::report::line::Line;

/// The files that a command makes.
#[derive(Default)]
pub(crate) struct Findings {
    /// One line for each difference and column.
    pub report: Option<Report>,
    /// Statements that would repair what is wrong.
    pub fixes: Option<FixFile>,
    /// The lines of a page for people.
    pub page: Option<Report>,
}

/// An audit that was stopped, and is gone on with.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// `database.table` of its source.
    pub source: String,
    /// The destination and the id of each row that it left owed.
    pub owed: HashSet<(String, String)>,
}

impl Findings {
    /// A report alone.
    #[must_use]
    pub(crate) fn of_report(report: Option<Report>) -> Self {
        Self {
            report,
            ..Self::default()
        }
    }

    /// Begins the files of an audit, or goes on with those of one that was stopped.
    ///
    /// # Errors
    /// When one of them cannot be created or gone on with.
    pub(crate) fn of_audit(
        report: Option<&ReportFile>,
        fixes: Option<&Path>,
        page: Option<&Path>,
        stopped: Option<&Stopped>,
    ) -> Result<Self> {
        let open = |report: &ReportFile| match stopped {
            None => Report::open(report),
            Some(stopped) => Report::resume(report, &stopped.source, &stopped.owed),
        };
        let lines_of_page = |path: &Path| {
            open(&ReportFile {
                file: Some(path.to_owned()),
                format: ReportFormat::Csv,
            })
        };
        let statements = |path: &Path| match stopped {
            None => FixFile::create(path),
            Some(stopped) => FixFile::resume(path, &stopped.owed),
        };
        Ok(Self {
            report: report.map(open).transpose()?,
            fixes: fixes.map(statements).transpose()?,
            page: page.map(lines_of_page).transpose()?,
        })
    }

    /// Somebody wants to know each row that is wrong.
    #[must_use]
    pub(crate) fn wants_rows(&self) -> bool {
        self.report.is_some() || self.fixes.is_some() || self.page.is_some()
    }

    /// What the page has to show of an audit that was stopped.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn digest(&self) -> Result<Digest> {
        let mut digest = Digest::default();
        if let Some(page) = &self.page {
            page.each(&mut |line| digest.add(&line))?;
        }
        Ok(digest)
    }

    /// # Errors
    /// When a report cannot be written.
    pub(super) fn write(&self, lines: &[Line]) -> Result<()> {
        let mut reports = self.report.iter().chain(&self.page);
        reports.try_for_each(|report| report.write(lines))
    }

    /// # Errors
    /// When a statement cannot be written.
    pub(super) fn fix(&self, repair: &Repair<'_>) -> Result<()> {
        let fixes = self.fixes.as_ref();
        fixes.map_or(Ok(()), |file| file.write(repair))
    }

    /// Second handles, to make what was found durable before a checkpoint passes it.
    #[must_use]
    pub(crate) fn handles(&self) -> Vec<File> {
        let reports = self.report.iter().chain(&self.page);
        let reports = reports.filter_map(Report::handle);
        reports
            .chain(self.fixes.iter().filter_map(FixFile::handle))
            .collect()
    }

    /// Puts every file in its place; `page` is the page's text.
    ///
    /// # Errors
    /// When one of them cannot be put there.
    pub(crate) fn complete(self, page: &str) -> Result<()> {
        if let Some(report) = self.report {
            report.into_output().complete()?;
        }
        if let Some(fixes) = self.fixes {
            fixes.complete()?;
        }
        let lines = self.page.map(Report::into_output);
        lines.map_or(Ok(()), |lines| {
            lines.complete_as(|_, to| to.write_all(page.as_bytes()))
        })
    }

    /// Leaves every file beside its place. Returns pairs: the file as it was named, and where its content lies.
    ///
    /// # Errors
    /// When one of them cannot be made durable.
    pub(crate) fn keep(self) -> Result<Vec<(PathBuf, PathBuf)>> {
        let reports = self.report.into_iter().chain(self.page);
        let reports = reports.map(Report::into_output);
        let mut kept = Vec::new();
        for output in reports {
            let path = output.path().to_owned();
            kept.extend(output.keep()?.map(|draft| (path, draft)));
        }
        kept.extend(self.fixes.map(FixFile::keep).transpose()?.flatten());
        Ok(kept)
    }
}
