//! Pages of HTML that need no other file and run no script: their frame, and figures as inline SVG.

pub mod axis;
mod page;
pub mod svg;

pub use page::page;
