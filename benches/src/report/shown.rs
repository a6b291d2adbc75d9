//! How a workload is shown: its columns, and its figure.

use maud::Markup;

use super::Chart;
use crate::method::Slice;

/// A figure of tables: title, metric, what it is multiplied by.
pub type Column = (&'static str, &'static str, f64);

#[derive(Clone, Copy)]
pub struct Shown {
    pub name: &'static str,
    pub title: &'static str,
    pub columns: &'static [Column],
    /// What the figure shows and how it is read.
    pub words: &'static str,
    /// What these slices say, in words, after that.
    pub caption: fn(&[&Slice]) -> String,
    /// Its charts; none where the table says as much.
    pub charts: fn(&[&Slice]) -> Vec<Chart>,
    /// Something that is neither a table nor a chart.
    pub html: fn(&[&Slice]) -> Option<Markup>,
}

impl Shown {
    /// A table; its figure is for [`Shown::drawn`] to say.
    pub const fn table(
        name: &'static str,
        title: &'static str,
        columns: &'static [Column],
    ) -> Self {
        Self {
            name,
            title,
            columns,
            words: "",
            caption: |_| String::new(),
            charts: |_| Vec::new(),
            html: |_| None,
        }
    }

    pub const fn drawn(self, words: &'static str, charts: fn(&[&Slice]) -> Vec<Chart>) -> Self {
        Self { words, charts, ..self }
    }
}
