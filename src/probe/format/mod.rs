//! The report as text.

mod json;
mod junit;
mod sarif;
mod table;

use super::report::Report;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// JUnit's XML, which every CI system reads.
    Junit,
    /// SARIF 2.1.0, which code scanning reads.
    Sarif,
}

impl Format {
    /// Writes the report, with a line feed at its end.
    pub fn write(self, report: &Report) -> String {
        match self {
            Self::Table => table::write(report),
            Self::Json => format!("{:#}\n", json::document(report)),
            Self::Junit => junit::write(report),
            Self::Sarif => format!("{:#}\n", sarif::document(report)),
        }
    }
}
