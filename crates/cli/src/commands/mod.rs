//! One module a command: its arguments, and its run.

pub mod addresses;
pub mod align;
pub mod backends;
pub mod bands;
mod cascade_network;
pub mod compare;
pub mod completions;
pub mod dataset;
pub mod evaluate;
pub mod extract_seeds;
pub mod index;
pub mod model;
pub mod score;
mod scoring;
pub mod simulate;
mod student;
