//! What is made of results: tables, charts, the page, files, the gate.

pub mod axis;
pub mod chart;
pub mod files;
pub mod gate;
pub mod groups;
pub mod page;
pub mod shown;
pub mod summary;
pub mod table;
pub mod words;

pub use axis::{Axis, COUNT, TIME};
pub use chart::{Chart, Point, Series, kind};
pub use files::Files;
pub use shown::Shown;
pub use words::{count, time, times};
